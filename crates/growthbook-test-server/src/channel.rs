//! The open streams and their events. The GrowthBook Proxy keeps such a channel for each client
//! key.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(30);
/// The time to wait when no event, ping or end is due.
const LONG: Duration = Duration::from_secs(3600);

/// The open streams. It has no clock and no sockets: callers pass the time and write the bytes.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) lifetime: Option<Duration>,
    pub(crate) silent: bool,
    /// The streams by the numbers of their connections.
    streams: HashMap<usize, Stream>,
    /// The id of the newest event; 0 before the first event.
    last_id: u64,
    newest_event: Vec<u8>,
    ping_interval: Duration,
    pings_since: Instant,
}

#[derive(Debug)]
struct Stream {
    opened: Instant,
    pinged: Instant,
    queue: VecDeque<Item>,
}

#[derive(Debug)]
enum Item {
    Chunk(Vec<u8>),
    End,
}

/// The next action of a stream's writer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// End the body. The channel has removed the stream already.
    End,
    /// Stop: the stream was closed by another thread.
    Closed,
    /// Wait until this moment, or until the channel changes.
    Wait(Instant),
}

impl Channel {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            lifetime: None,
            silent: false,
            streams: HashMap::new(),
            last_id: 0,
            newest_event: Vec::new(),
            ping_interval: DEFAULT_PING_INTERVAL,
            pings_since: now,
        }
    }

    pub(crate) fn set_ping_interval(&mut self, interval: Duration, now: Instant) {
        self.ping_interval = interval;
        self.pings_since = now;
    }

    /// Sends an event to all streams. It becomes the newest event.
    pub(crate) fn publish(&mut self, event: &str, data: &str) {
        self.last_id += 1;
        let data = data.replace(['\r', '\n'], "");
        // The GrowthBook Proxy also writes a blank after the id.
        let frame = format!("id: {} \nevent: {event}\ndata: {data}\n\n", self.last_id);
        self.newest_event = frame.into_bytes();
        self.push(&self.newest_event.clone());
    }

    /// Sends bytes to all streams, without an event id.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for stream in self.streams.values_mut() {
            stream.queue.push_back(Item::Chunk(bytes.to_vec()));
        }
    }

    pub(crate) fn end_all(&mut self) {
        for stream in self.streams.values_mut() {
            stream.queue.push_back(Item::End);
        }
    }

    /// Opens a stream and returns its first bytes.
    pub(crate) fn open(
        &mut self,
        stream: usize,
        last_event_id: Option<&str>,
        now: Instant,
    ) -> Vec<u8> {
        self.streams.insert(stream, Stream { opened: now, pinged: now, queue: VecDeque::new() });
        let mut opening = b"retry: 10000\n\n".to_vec();
        let seen = last_event_id.and_then(|id| id.trim().parse::<u64>().ok());
        if seen.is_some_and(|seen| seen < self.last_id) {
            opening.extend_from_slice(&self.newest_event);
        }
        opening
    }

    pub(crate) fn close(&mut self, stream: usize) {
        self.streams.remove(&stream);
    }

    pub(crate) fn close_all(&mut self) {
        self.streams.clear();
    }

    pub(crate) fn forget_events(&mut self) {
        self.last_id = 0;
        self.newest_event.clear();
    }

    pub(crate) fn is_open(&self, stream: usize) -> bool {
        self.streams.contains_key(&stream)
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn step(&mut self, stream: usize, now: Instant) -> Step {
        let Some(open) = self.streams.get_mut(&stream) else { return Step::Closed };
        if self.silent {
            return Step::Wait(now + LONG);
        }
        let end = self.lifetime.map(|lifetime| open.opened + lifetime);
        match open.queue.pop_front() {
            Some(Item::Chunk(bytes)) => return Step::Send(bytes),
            Some(Item::End) => {
                self.close(stream);
                return Step::End;
            }
            None if end.is_some_and(|end| end <= now) => {
                self.close(stream);
                return Step::End;
            }
            None => {}
        }
        let ping = next_tick(self.pings_since, self.ping_interval, open.pinged);
        if ping <= now {
            open.pinged = now;
            return Step::Send(b"data: \n\n".to_vec());
        }
        Step::Wait(end.map_or(ping, |end| end.min(ping)))
    }
}

/// Returns the first tick after `last` of a clock that started at `start`.
fn next_tick(start: Instant, interval: Duration, last: Instant) -> Instant {
    let since = last.saturating_duration_since(start);
    let into_interval = since.as_nanos() % interval.as_nanos();
    let into_interval = Duration::from_nanos(u64::try_from(into_interval).unwrap_or(u64::MAX));
    start + since + (interval - into_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn sent(channel: &mut Channel, now: Instant) -> String {
        match channel.step(1, now) {
            Step::Send(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn frames_are_those_of_the_proxy() {
        let now = Instant::now();
        let mut channel = Channel::new(now);
        assert_eq!(channel.open(1, None, now), b"retry: 10000\n\n");
        channel.publish("features", "{\r\n\"features\": {}\n}");
        channel.publish("features-updated", "");
        let event = "id: 1 \nevent: features\ndata: {\"features\": {}}\n\n";
        assert_eq!(sent(&mut channel, now), event);
        assert_eq!(sent(&mut channel, now), "id: 2 \nevent: features-updated\ndata: \n\n");
        assert_eq!(sent(&mut channel, now + DEFAULT_PING_INTERVAL), "data: \n\n");
    }

    #[test]
    fn newest_event_is_replayed_to_older_ids() {
        let now = Instant::now();
        let mut channel = Channel::new(now);
        assert_eq!(channel.open(1, Some("0"), now), b"retry: 10000\n\n");
        channel.publish("features", "{}");
        channel.publish("features", "[]");
        let replay = b"retry: 10000\n\nid: 2 \nevent: features\ndata: []\n\n";
        for id in ["0", "1", " 1 "] {
            assert_eq!(channel.open(1, Some(id), now), replay, "{id:?}");
        }
        for id in [None, Some("2"), Some("3"), Some(""), Some("x")] {
            assert_eq!(channel.open(1, id, now), b"retry: 10000\n\n", "{id:?}");
        }
        channel.forget_events();
        assert_eq!(channel.open(1, Some("0"), now), b"retry: 10000\n\n");
    }

    #[test]
    fn all_streams_are_pinged_by_one_clock() {
        let start = Instant::now();
        let mut channel = Channel::new(start);
        channel.set_ping_interval(10 * SECOND, start);
        channel.open(1, None, start + 4 * SECOND);
        assert_eq!(channel.step(1, start + 4 * SECOND), Step::Wait(start + 10 * SECOND));
        // A late ping does not change the clock.
        assert_eq!(sent(&mut channel, start + 13 * SECOND), "data: \n\n");
        assert_eq!(channel.step(1, start + 13 * SECOND), Step::Wait(start + 20 * SECOND));
    }

    #[test]
    fn stream_ends_after_lifetime_and_pushed_bytes() {
        let start = Instant::now();
        let mut channel = Channel::new(start);
        channel.lifetime = Some(5 * SECOND);
        channel.open(1, None, start);
        assert_eq!(channel.step(1, start), Step::Wait(start + 5 * SECOND));
        channel.push(b"x");
        assert_eq!(sent(&mut channel, start + 6 * SECOND), "x");
        assert_eq!(channel.step(1, start + 6 * SECOND), Step::End);
        assert_eq!(channel.step(1, start + 6 * SECOND), Step::Closed);
    }

    #[test]
    fn silent_channel_sends_nothing() {
        let start = Instant::now();
        let mut channel = Channel::new(start);
        channel.lifetime = Some(SECOND);
        channel.silent = true;
        channel.open(1, None, start);
        channel.push(b"x");
        channel.end_all();
        assert!(matches!(channel.step(1, start + 100 * SECOND), Step::Wait(_)));
        channel.silent = false;
        assert_eq!(sent(&mut channel, start), "x");
        assert_eq!(channel.step(1, start), Step::End);
    }
}
