//! Handing a document to every client that shares a source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use growthbook_core::{CachedPayload, PayloadChange, PayloadError, PayloadSource, UnixMillis};

use super::{MemberId, Source, State};
use crate::error::FetchError;
use crate::feed::{Document, FeedState, Taken};
use crate::status::age;
use crate::time::from_unix_millis;

/// The document that was last taken into use.
pub(super) struct Latest {
    document: Arc<Document>,
}

impl Latest {
    /// What the first client had in its cache: earlier than anything that is asked for.
    pub(super) fn from_cache(document: &Document) -> Self {
        let document = Document { sequence: Some(0), ..document.clone() };
        Latest { document: Arc::new(document) }
    }

    /// The tag to ask with. One from a cache may be anything; what cannot be sent is none.
    pub(super) fn etag(&self) -> Option<&str> {
        const LONGEST: usize = 1024;
        let etag = self.document.payload.etag.as_deref()?;
        let may_be_sent = etag.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (may_be_sent && etag.len() <= LONGEST).then_some(etag)
    }

    pub(super) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// Whether changes of it are streamed, if the server may be taken at its word: without a tag
    /// the server is asked anew anyway.
    pub(super) fn streaming(&self) -> Option<bool> {
        self.etag().map(|_| self.document.payload.streaming)
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
    /// An error means that it is no payload. The sequence was drawn when the document was asked
    /// for, so that an answer that comes late replaces nothing newer.
    pub(super) fn deliver(
        &self,
        payload: CachedPayload,
        source: PayloadSource,
        sequence: u64,
    ) -> (Result<(), FetchError>, Changes) {
        let mut state = self.lock();
        if let Some(latest) = &state.latest
            && latest.has_text(&payload.document)
        {
            let latest = latest.document.clone();
            drop(state);
            self.confirm(&latest, Some(&payload), payload.fetched_at, source);
            return (Ok(()), Changes::default());
        }
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

    /// The number of the next document that is asked for.
    pub(super) fn draw_sequence(&self) -> u64 {
        let mut state = self.lock();
        state.next_sequence += 1;
        state.next_sequence
    }

    /// The server has confirmed a document at this time, to this process or to another, and may
    /// have said something new of it. Nothing is confirmed where another one came meanwhile.
    pub(super) fn confirm(
        &self,
        confirmed: &Document,
        said: Option<&CachedPayload>,
        fetched_at: UnixMillis,
        source: PayloadSource,
    ) {
        let mut state = self.lock();
        let Some(latest) = &mut state.latest else { return };
        if latest.document.payload.document != confirmed.payload.document {
            return;
        }
        let mut document = Document::clone(&latest.document);
        document.payload.fetched_at = document.payload.fetched_at.max(fetched_at);
        document.source = source;
        // The stream has no tags.
        if let Some(said) = said.filter(|said| said.etag.is_some()) {
            document.payload.etag.clone_from(&said.etag);
            document.payload.streaming = said.streaming;
        }
        let document = Arc::new(document);
        latest.document = document.clone();
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
