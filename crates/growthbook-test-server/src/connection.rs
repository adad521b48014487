//! One connection: reads requests and writes replies.

use std::io::{self, ErrorKind};
use std::thread;
use std::time::{Duration, Instant};

use crate::Request;
use crate::channel::Step;
use crate::features;
use crate::http::{Response, Route, read_request};
use crate::reply::{Content, Cut, Reply, Then};
use crate::state::{Evaluate, Shared, State};
use crate::transport::Transport;

/// The time between two looks at a closed gate.
const GATE_INTERVAL: Duration = Duration::from_millis(2);

/// Serves a connection until either side ends it.
pub(crate) fn serve(transport: Transport, shared: &Shared) {
    let id = shared.update(State::connect);
    let mut connection = Connection { id, transport: &transport, shared, input: Vec::new() };
    // An error means that the peer is gone, or does not send HTTP.
    let then = connection.run().unwrap_or(Then::Abort);
    connection.close(then);
}

struct Connection<'a> {
    id: usize,
    transport: &'a Transport,
    shared: &'a Shared,
    /// The received bytes that are not used yet.
    input: Vec<u8>,
}

/// The reply of a server without a script.
enum Normal {
    Response(Response),
    /// The stream is open already, so that it misses no event.
    Stream {
        opening: Vec<u8>,
    },
}

impl Connection<'_> {
    fn run(&mut self) -> io::Result<Then> {
        loop {
            let transport = self.transport;
            let read = |input: &mut Vec<u8>| transport.read(input, None);
            let Some(request) = read_request(self.id, &mut self.input, read)? else {
                return Ok(Then::Close);
            };
            let reply = self.shared.update(|state| {
                state.receive(&request);
                state.next_reply(request.route())
            });
            match self.answer(&request, &reply)? {
                Then::NextRequest => {}
                Then::Hang => self.pause(None)?,
                then => return Ok(then),
            }
        }
    }

    fn answer(&mut self, request: &Request, reply: &Reply) -> io::Result<Then> {
        if !reply.delay.is_zero() {
            self.pause(Some(Instant::now() + reply.delay))?;
        }
        while reply.gate.as_ref().is_some_and(|gate| !gate.is_open()) {
            self.pause(Some(Instant::now() + GATE_INTERVAL))?;
        }
        match &reply.content {
            Content::Normal(cut) if request.route() == Route::Eval => {
                let evaluate = self.shared.lock().evaluate.clone();
                // Without the lock, so that several users are evaluated at the same time.
                let answer = evaluate.map(|Evaluate(evaluate)| evaluate(&request.body));
                let response = features::evaluated(answer, &self.shared.lock());
                self.respond(request, reply, response, *cut)
            }
            Content::Normal(cut) => match self.shared.update(|state| self.normal(request, state)) {
                Normal::Response(response) => self.respond(request, reply, response, *cut),
                Normal::Stream { opening } => self.stream(request, reply, opening, *cut),
            },
            Content::Status { status, body } => {
                let mut response = Response::new(*status);
                response.body.clone_from(body);
                self.respond(request, reply, response, None)
            }
            Content::Raw { bytes, then } => {
                self.transport.write(bytes)?;
                Ok(*then)
            }
        }
    }

    fn normal(&self, request: &Request, state: &mut State) -> Normal {
        match request.route() {
            Route::Features => Normal::Response(features::reply(request, state)),
            Route::Stream if state.streaming => {
                let last_event_id = request.header("last-event-id");
                let opening = state.channel.open(self.id, last_event_id, Instant::now());
                Normal::Stream { opening }
            }
            Route::Track => Normal::Response(Response::new(200)),
            Route::Stream | Route::Eval | Route::Unknown => Normal::Response(Response::not_found()),
        }
    }

    fn respond(
        &self,
        request: &Request,
        reply: &Reply,
        mut response: Response,
        cut: Option<Cut>,
    ) -> io::Result<Then> {
        if request.closes() {
            response.set_header("connection", "close");
        }
        reply.amend(&mut response);
        let mut bytes = response.head();
        let sent = cut.and_then(|cut| response.body.get(..cut.after)).unwrap_or(&response.body);
        bytes.extend_from_slice(sent);
        self.transport.write(&bytes)?;
        Ok(match cut {
            Some(cut) => cut.then,
            None if response.closes() => Then::Close,
            None => Then::NextRequest,
        })
    }

    fn stream(
        &mut self,
        request: &Request,
        reply: &Reply,
        opening: Vec<u8>,
        cut: Option<Cut>,
    ) -> io::Result<Then> {
        let mut response = Response::new(200);
        response.set_header("content-type", "text/event-stream");
        response.set_header("cache-control", "no-cache");
        response.set_header("connection", if request.closes() { "close" } else { "keep-alive" });
        response.set_header("transfer-encoding", "chunked");
        reply.amend(&mut response);
        let at_end = if response.closes() { Then::Close } else { Then::NextRequest };

        let (this, mut input) = (&*self, Vec::new());
        let then = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let written = this.write_stream(&response.head(), opening, cut, at_end);
                let then = written.unwrap_or(Then::Abort);
                if matches!(then, Then::Close | Then::Abort) {
                    // Ends the read below.
                    this.close(then);
                }
                then
            });
            // Only a read notices that the peer is gone.
            while this.shared.lock().channel.is_open(this.id) {
                if this.transport.read(&mut input, None).unwrap_or(0) == 0 {
                    this.close(Then::Abort);
                }
            }
            writer.join().expect("a stream's writer should not panic")
        });
        self.input.append(&mut input);
        Ok(then)
    }

    fn write_stream(
        &self,
        head: &[u8],
        opening: Vec<u8>,
        cut: Option<Cut>,
        at_end: Then,
    ) -> io::Result<Then> {
        self.transport.write(head)?;
        let mut step = Step::Send(opening);
        let mut left = cut.map_or(usize::MAX, |cut| cut.after);
        loop {
            match step {
                Step::Send(frame) => self.transport.write(&chunk(&frame, &mut left))?,
                Step::End => {
                    self.transport.write(b"0\r\n\r\n")?;
                    return Ok(at_end);
                }
                Step::Closed | Step::Wait(_) => return Ok(Then::Abort),
            }
            if let Some(cut) = cut
                && left == 0
            {
                self.shared.update(|state| state.channel.close(self.id));
                return Ok(cut.then);
            }
            step = self.next_step();
        }
    }

    /// Waits for the stream's next action.
    fn next_step(&self) -> Step {
        let mut state = self.shared.lock();
        let step = loop {
            match state.channel.step(self.id, Instant::now()) {
                Step::Wait(deadline) => state = self.shared.wait(state, deadline),
                step => break step,
            }
        };
        drop(state);
        if step == Step::End {
            // Another thread may wait until the channel has removed the stream.
            self.shared.update(|_| {});
        }
        step
    }

    /// Sends nothing until the deadline. Fails if the peer closes the connection before that.
    fn pause(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        loop {
            match self.transport.read(&mut self.input, deadline) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts the end of the connection, then closes it.
    fn close(&self, then: Then) {
        self.shared.update(|state| state.disconnect(self.id));
        self.transport.close(then == Then::Close);
    }
}

/// Returns one chunk with as much of a frame as `left` allows. A shorter part is cut in its middle.
pub(crate) fn chunk(frame: &[u8], left: &mut usize) -> Vec<u8> {
    if frame.is_empty() || *left == 0 {
        // An empty chunk would end the body.
        return Vec::new();
    }
    let mut chunk = format!("{:x}\r\n", frame.len()).into_bytes();
    match frame.get(..*left) {
        Some(part) if part.len() < frame.len() => {
            chunk.extend_from_slice(part);
            *left = 0;
        }
        _ => {
            chunk.extend_from_slice(frame);
            chunk.extend_from_slice(b"\r\n");
            *left -= frame.len();
        }
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_is_cut_to_the_rest_of_the_limit() {
        let mut left = 5;
        assert_eq!(chunk(b"", &mut left), b"");
        assert_eq!(chunk(b"abc", &mut left), b"3\r\nabc\r\n");
        assert_eq!(chunk(b"0123456789abcdef", &mut left), b"10\r\n01");
        assert_eq!((chunk(b"abc", &mut left), left), (Vec::new(), 0));
        left = 3;
        assert_eq!((chunk(b"abc", &mut left).as_slice(), left), (&b"3\r\nabc\r\n"[..], 0));
    }
}
