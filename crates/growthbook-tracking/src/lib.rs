//! Sends exposures, evaluated features and custom events to GrowthBook's ingestor.
//!
//! [`IngestorTracking`] is a plugin of the client. It sends what the JavaScript SDK's tracking plugin
//! sends, so GrowthBook's event pipeline works without code of your own. It does not evaluate, and it
//! is not the way to a data warehouse of your own: use the client's callbacks for that.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use growthbook_core::plugin::Plugin;
//! use growthbook_tracking::{EU_INGESTOR, IngestorTracking, TrackingOptions};
//!
//! # fn add(plugin: impl Plugin) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracking = IngestorTracking::new(TrackingOptions::new().host(EU_INGESTOR))?;
//! // Client::builder("sdk-abc123").plugin(tracking.clone()).start()?
//! # add(tracking.clone());
//! tracking.flush(Duration::from_secs(2))?;
//! println!("{:?}", tracking.status());
//! # Ok(())
//! # }
//! ```
//!
//! With the Cargo feature `metrics`, the counter `growthbook_lost_events_total` of the program's recorder
//! has the events that were lost. [`TrackingStatus::lost`] has their reasons.
//!
//! # Modules, in reading order
//!
//! | module | what |
//! |---|---|
//! | `tracking` | the plugin |
//! | `wire` | the JSON of an event |
//! | `duplicates` | which events were sent before |
//! | `queue` | when the next batch is sent, and what is done after a failure; without a clock |
//! | `sender` | the thread |
//! | `ingestor` | one request |
//! | `options`, `status` | what an application sets, and what it can ask |

mod duplicates;
mod ingestor;
mod options;
mod queue;
mod sender;
mod status;
mod tracking;
mod wire;

#[doc(inline)]
pub use growthbook_net::{ConnectionConfigError, ConnectionOptions};
pub use ingestor::TrackingConfigError;
pub use options::{
    DEFAULT_BATCH_SIZE, DEFAULT_CAPACITY, DEFAULT_CAPACITY_BYTES, DEFAULT_DROP_DEADLINE,
    DEFAULT_DUPLICATE_CACHE_SIZE, DEFAULT_INTERVAL, DEFAULT_REQUEST_TIMEOUT, DEFAULT_RETRY_FOR,
    EU_INGESTOR, TrackingOptions, US_INGESTOR,
};
pub use status::{FlushTimedOut, LostEvents, RequestError, TrackingStatus};
pub use tracking::IngestorTracking;
