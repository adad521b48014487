//! Handing a document to every client that shares a source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use growthbook_core::{CachedPayload, PayloadChange, PayloadError, PayloadSource};

use super::{MemberId, Source, State};
use crate::error::FetchError;
use crate::feed::{Document, FeedState, Taken};
use crate::status::age;
use crate::time::{from_unix_millis, unix_millis};

/// The document that was last taken into use.
pub(super) struct Latest {
    document: Arc<Document>,
}

impl Latest {
    pub(super) fn new(document: Arc<Document>) -> Self {
        Latest { document }
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.document.payload.etag.as_deref()
    }

    /// Whether changes of it are streamed, if the server may be taken at its word: without a tag
    /// the server is asked anew anyway.
    pub(super) fn streaming(&self) -> Option<bool> {
        self.etag().map(|_| self.document.payload.streaming)
    }

    pub(super) fn payload(&self) -> &CachedPayload {
        &self.document.payload
    }

    fn has_text(&self, text: &str) -> bool {
        *self.document.payload.document == *text
    }

    /// For how much longer it is fresh.
    pub(super) fn fresh_for(&self, ttl: Duration) -> Duration {
        let fetched_at = from_unix_millis(self.document.payload.fetched_at);
        if fetched_at > SystemTime::now() {
            // The clock was set back. Nobody knows how old it is.
            return Duration::ZERO;
        }
        ttl.saturating_sub(age(fetched_at))
    }
}

/// Changes that are told when the fetch is over: who hears of them may ask for the next one.
#[must_use]
#[derive(Default)]
pub(super) struct Changes(Vec<(Arc<FeedState>, PayloadChange)>);

impl Changes {
    pub(super) fn tell(self) {
        self.0.into_iter().for_each(|(feed, change)| feed.tell(change));
    }
}

/// What became of a document, over all members.
#[derive(Default)]
struct Tally {
    used: u64,
    older: u64,
    error: Option<PayloadError>,
}

impl Tally {
    fn count(&mut self, taken: &Result<Taken, PayloadError>) {
        match taken {
            Ok(Taken::Used(_)) => self.used += 1,
            Ok(Taken::Older) => self.older += 1,
            Err(error) => self.error = Some(*error),
        }
    }

    /// One client's wrong key is that client's own trouble.
    fn outcome(self) -> Result<(), FetchError> {
        match self.error {
            Some(error) if self.used + self.older == 0 => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Source {
    /// Hands a document to all members, in the name of this source. It is the latest one from now on, unless
    /// nobody could use it.
    /// An error means that it is no payload.
    pub(super) fn deliver(
        &self,
        payload: CachedPayload,
        source: PayloadSource,
    ) -> (Result<(), FetchError>, Changes) {
        let mut state = self.lock();
        if state.latest.as_ref().is_some_and(|latest| latest.has_text(&payload.document)) {
            drop(state);
            self.confirm(Some(payload));
            return (Ok(()), Changes::default());
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        let document = Arc::new(Document { payload, source, sequence: Some(sequence) });
        let mut served: Vec<MemberId> = Vec::new();
        let mut tally = Tally::default();
        let mut changes = Changes::default();
        loop {
            // Whoever joins meanwhile gets it as well.
            let waiting: Vec<(MemberId, Arc<FeedState>)> = state
                .members
                .iter()
                .filter(|member| !served.contains(&member.id))
                .map(|member| (member.id, member.feed.clone()))
                .collect();
            if waiting.is_empty() {
                break;
            }
            drop(state);
            for (member, feed) in waiting {
                served.push(member);
                let taken = feed.take_in(&document);
                tally.count(&taken);
                if let Ok(Taken::Used(change)) = taken {
                    changes.0.push((feed, change));
                }
            }
            state = self.lock();
        }
        let is_newer =
            state.latest.as_ref().is_none_or(|latest| latest.document.sequence < Some(sequence));
        if is_newer && tally.used > 0 {
            state.latest = Some(Latest { document });
        }
        state.health.counters.updates += u64::from(tally.used > 0);
        state.health.counters.older_ignored += u64::from(tally.used == 0 && tally.older > 0);
        (tally.outcome(), changes)
    }

    /// The server has confirmed the latest document, and may have said something new of it.
    pub(super) fn confirm(&self, said: Option<CachedPayload>) {
        let now = unix_millis(SystemTime::now());
        let mut state = self.lock();
        let Some(latest) = &mut state.latest else { return };
        let mut document = Document::clone(&latest.document);
        document.payload.fetched_at = now;
        if let Some(said) = said {
            document.payload.etag = said.etag;
            document.payload.streaming = said.streaming;
        }
        latest.document = Arc::new(document);
        let document = latest.document.clone();
        let feeds = state.feeds();
        drop(state);
        feeds.iter().for_each(|feed| feed.confirm(&document));
    }

    /// The latest document, for a client that has just joined.
    pub(crate) fn latest(&self) -> Option<Arc<Document>> {
        self.lock().latest.as_ref().map(|latest| latest.document.clone())
    }
}

impl State {
    pub(super) fn feeds(&self) -> Vec<Arc<FeedState>> {
        self.members.iter().map(|member| member.feed.clone()).collect()
    }
}
