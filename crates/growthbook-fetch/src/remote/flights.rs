//! The requests in progress: at most one for each key, and a bounded number of them. This is pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::flight::Flight;
use super::options::MAX_WAITING_REQUESTS;
use super::request::{AnswerKey, RemoteRequest};

/// A refresh without a caller is added only while fewer requests than this wait. The other places are
/// for users without an answer.
const MAX_WAITING_REFRESHES: usize = MAX_WAITING_REQUESTS / 2;

/// The requests in progress.
#[derive(Default)]
pub(super) struct Flights {
    by_key: HashMap<AnswerKey, Progress>,
    /// Keys whose requests wait to be sent, with callers that wait for the answer.
    urgent: VecDeque<AnswerKey>,
    /// Keys whose requests wait to be sent, without a caller that waits.
    refreshes: VecDeque<AnswerKey>,
}

/// The progress of the request for one key.
struct Progress {
    flight: Arc<Flight>,
    stage: Stage,
    /// The request after this one, for callers that need a newer answer.
    next: Option<Arc<Flight>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting {
        is_urgent: bool,
    },
    /// It was sent after this number of changes.
    Sent {
        changes: u64,
    },
}

impl Flights {
    /// Returns the request in progress whose answer will have this number of changes. After a
    /// request that was sent before the last change, another one follows.
    pub(super) fn join(
        &mut self,
        request: &RemoteRequest,
        is_urgent: bool,
        changes: u64,
    ) -> Option<Arc<Flight>> {
        let key = request.key();
        let progress = self.by_key.get_mut(&key)?;
        match progress.stage {
            Stage::Sent { changes: sent } if sent < changes => {
                let next = || Arc::new(Flight::new(request.clone()));
                return Some(progress.next.get_or_insert_with(next).clone());
            }
            Stage::Waiting { is_urgent: false } if is_urgent => {
                progress.stage = Stage::Waiting { is_urgent };
                self.refreshes.retain(|other| *other != key);
                self.urgent.push_back(key);
            }
            Stage::Sent { .. } | Stage::Waiting { .. } => {}
        }
        Some(progress.flight.clone())
    }

    /// Whether one more request may wait.
    pub(super) fn has_room(&self, is_urgent: bool) -> bool {
        let limit = if is_urgent { MAX_WAITING_REQUESTS } else { MAX_WAITING_REFRESHES };
        self.waiting() < limit
    }

    /// Adds a request for a key that has no other one.
    pub(super) fn add(&mut self, request: &RemoteRequest, is_urgent: bool) -> Arc<Flight> {
        let flight = Arc::new(Flight::new(request.clone()));
        self.push(flight.clone(), is_urgent);
        flight
    }

    /// Returns the next request to send, after this number of changes.
    pub(super) fn next(&mut self, changes: u64) -> Option<Arc<Flight>> {
        let key = self.urgent.pop_front().or_else(|| self.refreshes.pop_front())?;
        let progress = self.by_key.get_mut(&key)?;
        progress.stage = Stage::Sent { changes };
        Some(progress.flight.clone())
    }

    /// Ends a request. The request after it waits from now on.
    pub(super) fn landed(&mut self, flight: &Flight) {
        let progress = self.by_key.remove(&flight.request.key());
        if let Some(next) = progress.and_then(|progress| progress.next) {
            self.push(next, true);
        }
    }

    /// Takes the requests that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<Arc<Flight>> {
        let keys = self.urgent.drain(..).chain(self.refreshes.drain(..));
        keys.filter_map(|key| Some(self.by_key.remove(&key)?.flight)).collect()
    }

    /// Returns the number of requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.urgent.len() + self.refreshes.len()
    }

    fn push(&mut self, flight: Arc<Flight>, is_urgent: bool) {
        let key = flight.request.key();
        let stage = Stage::Waiting { is_urgent };
        self.by_key.insert(key, Progress { flight, stage, next: None });
        let queue = if is_urgent { &mut self.urgent } else { &mut self.refreshes };
        queue.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use growthbook_core::{GlobalContext, UserContext};

    use super::*;

    fn request(id: usize) -> RemoteRequest {
        let user = UserContext::new(id.to_string());
        RemoteRequest::new(&user, &GlobalContext::new(), None).unwrap()
    }

    #[test]
    fn callers_with_one_key_share_a_request() {
        let mut flights = Flights::default();
        assert!(flights.join(&request(1), true, 0).is_none());
        let flight = flights.add(&request(1), true);
        assert!(Arc::ptr_eq(&flights.join(&request(1), true, 0).unwrap(), &flight));
        let sent = flights.next(0).unwrap();
        assert!(Arc::ptr_eq(&flights.join(&request(1), true, 0).unwrap(), &sent));
        assert!(flights.next(0).is_none());
        flights.landed(&sent);
        assert!(flights.join(&request(1), true, 0).is_none());
    }

    #[test]
    fn request_from_before_a_change_is_followed_by_another() {
        let mut flights = Flights::default();
        let flight = flights.add(&request(1), true);
        // It was not sent yet, so it will have the change.
        assert!(Arc::ptr_eq(&flights.join(&request(1), true, 1).unwrap(), &flight));
        let sent = flights.next(1).unwrap();
        let next = flights.join(&request(1), true, 2).unwrap();
        assert!(!Arc::ptr_eq(&next, &sent));
        assert!(Arc::ptr_eq(&flights.join(&request(1), true, 2).unwrap(), &next));
        // Only one request is sent at a time.
        assert!(flights.next(2).is_none());
        flights.landed(&sent);
        assert!(Arc::ptr_eq(&flights.next(2).unwrap(), &next));
    }

    #[test]
    fn urgent_requests_come_first() {
        let mut flights = Flights::default();
        for id in 1..=3 {
            flights.add(&request(id), false);
        }
        flights.add(&request(4), true);
        flights.join(&request(2), true, 0);
        let mut order = Vec::new();
        while let Some(flight) = flights.next(0) {
            order.push(flight.request.clone());
        }
        assert!(order == [4, 2, 1, 3].map(request));
    }

    #[test]
    fn refreshes_leave_room() {
        let mut flights = Flights::default();
        let mut added = 0;
        while flights.has_room(false) {
            flights.add(&request(added), false);
            added += 1;
        }
        assert_eq!(added, MAX_WAITING_REFRESHES);
        while flights.has_room(true) {
            flights.add(&request(added), true);
            added += 1;
        }
        assert_eq!(added, MAX_WAITING_REQUESTS);
        assert_eq!(flights.take_waiting().len(), added);
        assert!(flights.waiting() == 0 && flights.by_key.is_empty());
    }
}
