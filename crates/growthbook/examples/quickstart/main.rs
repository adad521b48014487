//! `cargo run --example quickstart` evaluates an embedded payload for several users. With
//! `-- --live`, it starts a server that changes a flag, stops and comes back while a client runs.

mod embedded;
mod live;

use std::env;
use std::error::Error;
use std::io;

fn main() -> Result<(), Box<dyn Error>> {
    let out = &mut io::stdout().lock();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => embedded::run(out),
        ["--live"] => live::run(out),
        _ => Err("usage: quickstart [--live]".into()),
    };
    match result {
        // The reader has seen enough, as in `| head -1`.
        Err(error) if is_broken_pipe(&*error) => Ok(()),
        result => result,
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
