//! Offering a document to all clients of a source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use growthbook_core::cache::{CachedPayload, UnixMillis};
use growthbook_core::{PayloadError, PayloadSource};

use super::{Document, Member, MemberId, Source, State};
use crate::error::FetchError;
use crate::sink::Offered;
use crate::status::age;
use crate::time::from_unix_millis;

/// The document that was last taken into use.
pub(super) struct Latest {
    document: Arc<Document>,
}

impl Latest {
    /// The document from the first client's cache. It is earlier than any document of the server.
    pub(super) fn from_cache(document: &Document) -> Self {
        let document = Document { sequence: Some(0), ..document.clone() };
        Latest { document: Arc::new(document) }
    }

    /// Returns the tag to ask with. A tag from a cache may be one that cannot be sent.
    pub(super) fn etag(&self) -> Option<&str> {
        const LONGEST: usize = 1024;
        let etag = self.document.payload.etag.as_deref()?;
        let may_be_sent = etag.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (may_be_sent && etag.len() <= LONGEST).then_some(etag)
    }

    pub(super) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// Whether the server streams changes. `None` without a tag, because then the server is asked
    /// again anyway.
    pub(super) fn streaming(&self) -> Option<bool> {
        self.etag().map(|_| self.document.payload.streaming)
    }

    fn has_text(&self, text: &str) -> bool {
        *self.document.payload.document == *text
    }

    /// Returns how much longer the document is fresh.
    pub(super) fn fresh_for(&self, ttl: Duration) -> Duration {
        let fetched_at = from_unix_millis(self.document.payload.fetched_at);
        if fetched_at > SystemTime::now() {
            // The clock was set back, and the age is not known.
            return Duration::ZERO;
        }
        ttl.saturating_sub(age(fetched_at))
    }
}

/// What became of a document at each member.
#[must_use]
#[derive(Default)]
pub(super) struct Delivery(Vec<(Arc<Member>, Result<Offered, PayloadError>)>);

impl Delivery {
    /// An error when no member can read the document. If only some cannot, for example because
    /// their key is wrong, that is theirs alone.
    pub(super) fn outcome(&self) -> Result<(), FetchError> {
        let mut error = None;
        for (_, offered) in &self.0 {
            match offered {
                Ok(_) => return Ok(()),
                Err(unreadable) => error = Some(*unreadable),
            }
        }
        error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Notifies the members of changes. Call it when the fetch is over: a callback may ask for
    /// the next one.
    pub(super) fn notify(self) {
        for (member, offered) in self.0 {
            if let Ok(Offered::Applied { change }) = offered {
                member.notify(change);
            }
        }
    }

    fn is_applied(&self) -> bool {
        self.0.iter().any(|(_, offered)| matches!(offered, Ok(Offered::Applied { .. })))
    }

    fn is_older(&self) -> bool {
        !self.is_applied()
            && self.0.iter().any(|(_, offered)| matches!(offered, Ok(Offered::Older)))
    }
}

impl Source {
    /// Offers a document to all members. It is the latest one from now on, unless no member uses
    /// it. The sequence was drawn when the document was asked for, so that a late answer does not
    /// replace a newer one.
    pub(super) fn deliver(
        &self,
        payload: CachedPayload,
        source: PayloadSource,
        sequence: u64,
    ) -> Delivery {
        let mut state = self.lock();
        if let Some(latest) = &state.latest
            && latest.has_text(&payload.document)
        {
            let latest = latest.document.clone();
            drop(state);
            self.confirm(&latest, Some(&payload), payload.fetched_at, source);
            return Delivery::default();
        }
        let document = Arc::new(Document { payload, source, sequence: Some(sequence) });
        let mut served: Vec<MemberId> = Vec::new();
        let mut delivery = Delivery::default();
        loop {
            // A client that joins meanwhile gets the document as well.
            let waiting: Vec<(MemberId, Arc<Member>)> = state
                .members
                .iter()
                .filter(|it| !it.is_paused && !served.contains(&it.id))
                .map(|membership| (membership.id, membership.member.clone()))
                .collect();
            if waiting.is_empty() {
                break;
            }
            drop(state);
            for (id, member) in waiting {
                served.push(id);
                let offered = member.offer(&document);
                delivery.0.push((member, offered));
            }
            state = self.lock();
        }
        let is_newer =
            state.latest.as_ref().is_none_or(|latest| latest.document.sequence < Some(sequence));
        if is_newer && delivery.is_applied() {
            state.latest = Some(Latest { document });
        }
        state.health.counters.updates += u64::from(delivery.is_applied());
        state.health.counters.older_ignored += u64::from(delivery.is_older());
        delivery
    }

    /// Returns the number of the next document that is asked for.
    pub(super) fn draw_sequence(&self) -> u64 {
        let mut state = self.lock();
        state.next_sequence += 1;
        state.next_sequence
    }

    /// The server has confirmed a document at this time, to this process or to another. `said` is a
    /// reply with the same document, which may have another tag. Does nothing if another document
    /// has arrived meanwhile.
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
        // A known document from the stream has no tag.
        if let Some(said) = said.filter(|said| said.etag.is_some()) {
            document.payload.etag.clone_from(&said.etag);
            document.payload.streaming = said.streaming;
        }
        let document = Arc::new(document);
        latest.document = document.clone();
        let members = state.members();
        drop(state);
        members.iter().for_each(|member| member.confirm(&document));
    }

    /// Whether this is the text of the latest document.
    pub(super) fn is_latest(&self, text: &str) -> bool {
        self.lock().latest.as_ref().is_some_and(|latest| latest.has_text(text))
    }

    /// Returns the latest document, for a client that has just joined.
    pub(crate) fn latest(&self) -> Option<Arc<Document>> {
        self.lock().latest.as_ref().map(|latest| latest.document.clone())
    }
}

impl State {
    pub(super) fn members(&self) -> Vec<Arc<Member>> {
        let running = self.members.iter().filter(|membership| !membership.is_paused);
        running.map(|membership| membership.member.clone()).collect()
    }
}
