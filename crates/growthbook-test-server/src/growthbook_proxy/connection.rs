//! One connection to the Proxy.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::replies::{self, Answer};
use super::state::{Shared, State};
use crate::Request;
use crate::channel::Step;
use crate::connection::chunk;
use crate::http::{Response, read_request};
use crate::transport::Transport;

/// The time between two looks at whether the client of a stream is gone.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Serves a connection until either side ends it, or this run of the Proxy ends.
pub(super) fn serve(transport: &Transport, shared: &Shared, run: u64) {
    let id = shared.update(State::connect);
    // An error means that the peer is gone, that it was idle for too long, or does not send HTTP.
    let _ = Connection { id, transport, shared, run }.serve();
    transport.close(true);
}

struct Connection<'a> {
    id: usize,
    transport: &'a Transport,
    shared: &'a Shared,
    run: u64,
}

impl Connection<'_> {
    fn serve(&self) -> io::Result<()> {
        let mut input = Vec::new();
        let mut deadline = None;
        let read = |input: &mut Vec<u8>, deadline| self.transport.read(input, deadline);
        while let Some(request) = read_request(self.id, &mut input, |input| read(input, deadline))?
        {
            self.answer(&request)?;
            if request.closes() {
                break;
            }
            deadline = Some(Instant::now() + self.shared.lock().settings.keep_alive);
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> io::Result<()> {
        let path = request.path.split('?').next().unwrap_or_default();
        let key = path.rsplit('/').next().unwrap_or_default();
        let answer = self.shared.update(|state| {
            let answers = state.answers(self.run);
            answers.then(|| replies::answer(state, request, key, self.id))
        });
        match answer.ok_or(ErrorKind::ConnectionAborted)? {
            Answer::Reply(response) => self.respond(response),
            Answer::ReplyThenFetch(response) => {
                self.respond(response)?;
                self.ask_api()?;
                self.shared.update(|state| {
                    if state.is_api_reachable {
                        state.keep(key, Instant::now());
                    }
                });
                Ok(())
            }
            Answer::Fetch => {
                self.ask_api()?;
                let passed = |state: &mut _| replies::passed_through(state, request, key);
                let response = self.shared.update(passed);
                self.respond(response)
            }
            Answer::Stream { opening } => {
                let outcome = self.stream(key, opening);
                self.shared.update(|state| state.close_stream(key, self.id));
                outcome
            }
        }
    }

    fn ask_api(&self) -> io::Result<()> {
        let is_running = self.shared.ask_api(self.run);
        if is_running { Ok(()) } else { Err(ErrorKind::ConnectionAborted.into()) }
    }

    fn respond(&self, mut response: Response) -> io::Result<()> {
        let seconds = self.shared.lock().settings.keep_alive.as_secs();
        response.set_header("connection", "keep-alive");
        response.set_header("keep-alive", &format!("timeout={seconds}"));
        let mut bytes = response.head();
        bytes.extend_from_slice(&response.body);
        self.transport.write(&bytes)
    }

    /// Sends a stream to its end.
    fn stream(&self, key: &str, opening: Vec<u8>) -> io::Result<()> {
        let mut response = Response::new(200);
        response.set_header("content-type", "text/event-stream");
        response.set_header("cache-control", "no-cache");
        response.set_header("connection", "keep-alive");
        response.set_header("transfer-encoding", "chunked");
        self.transport.write(&response.head())?;
        let mut step = Step::Send(opening);
        loop {
            match step {
                Step::Send(frame) => {
                    let mut no_limit = usize::MAX;
                    self.transport.write(&chunk(&frame, &mut no_limit))?;
                }
                Step::End => return self.transport.write(b"0\r\n\r\n"),
                Step::Closed => return Err(ErrorKind::ConnectionAborted.into()),
                Step::Wait(_) if self.transport.is_open() => {}
                Step::Wait(_) => return Err(ErrorKind::UnexpectedEof.into()),
            }
            step = self.shared.next_step(self.run, key, self.id, LOOK_INTERVAL);
        }
    }
}
