//! Which of two payloads is used.

use growthbook_core::{PayloadChange, PayloadError, PayloadSource};

use super::{Compiled, InUse, LivePayload};
use crate::date::is_older;
use crate::error::FetchError;
use crate::sink::{Offered, PayloadSink};

impl<T: Clone + Send + Sync> PayloadSink for LivePayload<T> {
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        let payload = self.read(document.as_bytes())?;
        let current = self.current.load_full();
        if !may_replace(&current, source, payload.date_updated()) {
            return Ok(Offered::Older);
        }
        let payload = payload.replacing(current.payload());
        let compiled = Compiled::new(payload, source, current.snapshot());
        // Another thread may swap in a newer payload meanwhile.
        let replaced = self.swap(current, &compiled, |found| {
            may_replace(found, source, compiled.payload.date_updated())
        });
        Ok(match replaced {
            Some(replaced) => Offered::Applied { change: self.retire(replaced, &compiled) },
            None => Offered::Older,
        })
    }

    fn changed(&self, change: PayloadChange) {
        self.notify(&change);
    }

    fn refresh_failed(&self, error: &FetchError) {
        if let Some(callback) = &self.on_failure {
            callback(error);
        }
    }
}

/// Whether a payload may replace the one in use: it must not have a lower rank, nor be older.
fn may_replace<T>(current: &InUse<T>, source: PayloadSource, date_updated: Option<&str>) -> bool {
    rank(Some(source)) >= rank(current.source)
        && !is_older(date_updated, current.payload.date_updated())
}

fn rank(source: Option<PayloadSource>) -> u8 {
    match source {
        None => 0,
        Some(PayloadSource::Fallback) => 1,
        Some(PayloadSource::Cache | PayloadSource::File) => 2,
        Some(_) => 3,
    }
}
