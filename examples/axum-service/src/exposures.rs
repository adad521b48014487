//! The exposures of all requests. A task of its own reports them, so no response waits for that.

use growthbook::tracking::{ExperimentViewed, ExperimentViewedRecord};
use tokio::sync::mpsc;

/// The most exposures that wait to be reported. When there are more, new ones are lost.
const CAPACITY: usize = 10_000;

/// The most exposures in one report.
const BATCH: usize = 100;

/// The exposures that wait to be reported.
pub struct Exposures(mpsc::Receiver<ExperimentViewedRecord>);

/// Returns a callback for [`on_experiment_viewed`](growthbook::ClientBuilder::on_experiment_viewed),
/// and the exposures that it queues.
pub fn exposures() -> (impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static, Exposures) {
    let (queue, exposures) = mpsc::channel(CAPACITY);
    // The request that evaluates does not wait: a full queue loses the exposure.
    let on_experiment_viewed =
        move |viewed: &ExperimentViewed<'_>| drop(queue.try_send(viewed.to_record()));
    (on_experiment_viewed, Exposures(exposures))
}

impl Exposures {
    /// Hands the exposures to `report` in batches, until the client is gone and all are reported.
    pub async fn report(mut self, mut report: impl AsyncFnMut(Vec<ExperimentViewedRecord>)) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            if self.0.recv_many(&mut batch, BATCH).await == 0 {
                return;
            }
            report(batch).await;
        }
    }
}
