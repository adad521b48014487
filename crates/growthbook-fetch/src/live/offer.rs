//! Which of two payloads is used.

use std::time::SystemTime;

use growthbook_core::{PayloadChange, PayloadError, PayloadSource};

use super::{Compiled, InUse, LivePayload};
use crate::date::{is_from_future, is_older};
use crate::error::FetchError;
use crate::sink::{Offered, PayloadSink};

impl<T: Clone + Send + Sync> PayloadSink for LivePayload<T> {
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        let now = SystemTime::now();
        self.offer_if(document, source, |current, date| may_replace(current, source, date, now))
    }

    fn offer_older(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        self.offer_if(document, source, |current, _| outranks(current, source))
    }

    fn is_from_future(&self) -> bool {
        is_from_future(self.load().payload().date_updated(), SystemTime::now())
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

impl<T: Clone + Send + Sync> LivePayload<T> {
    /// Takes a document into use if it may replace the payload in use. `may_replace` receives that
    /// payload, and the date of the document.
    fn offer_if(
        &self,
        document: &str,
        source: PayloadSource,
        may_replace: impl Fn(&InUse<T>, Option<&str>) -> bool,
    ) -> Result<Offered, PayloadError> {
        let payload = self.read(document.as_bytes())?;
        let current = self.current.load_full();
        if !may_replace(&current, payload.date_updated()) {
            return Ok(Offered::Older);
        }
        let payload = payload.replacing(current.payload());
        let compiled = Compiled::new(payload, source, current.snapshot());
        // Another thread may swap in a newer payload meanwhile.
        let replaced = self
            .swap(current, &compiled, |found| may_replace(found, compiled.payload.date_updated()));
        Ok(match replaced {
            Some(replaced) => Offered::Applied { change: self.retire(replaced, &compiled) },
            None => Offered::Older,
        })
    }
}

/// Whether a payload may replace the one in use: it must not have a lower rank, nor be older. Being
/// older does not count if only the payload in use is dated in the future: that date is wrong.
fn may_replace<T>(
    current: &InUse<T>,
    source: PayloadSource,
    date: Option<&str>,
    now: SystemTime,
) -> bool {
    let in_use = current.payload.date_updated();
    outranks(current, source)
        && (!is_older(date, in_use) || (is_from_future(in_use, now) && !is_from_future(date, now)))
}

/// Whether a payload of this source has at least the rank of the one in use.
fn outranks<T>(current: &InUse<T>, source: PayloadSource) -> bool {
    rank(Some(source)) >= rank(current.source)
}

fn rank(source: Option<PayloadSource>) -> u8 {
    match source {
        None => 0,
        Some(PayloadSource::Fallback) => 1,
        Some(PayloadSource::Cache | PayloadSource::File) => 2,
        Some(_) => 3,
    }
}
