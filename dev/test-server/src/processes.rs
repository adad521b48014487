//! Copies of a program that run as child processes and answer questions.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Child processes that run the same program as this process. Dropping it kills them.
///
/// The program checks at its start whether it is a child, for example by an environment variable,
/// and then calls [`answer_questions`].
#[derive(Debug)]
pub struct Processes {
    running: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Processes {
    /// Starts this number of processes with these environment variables.
    ///
    /// # Panics
    ///
    /// If a process does not start.
    pub fn start(number: usize, variables: &[(&str, String)]) -> Self {
        Self { running: (0..number).map(|_| Process::start(variables)).collect() }
    }

    /// Sends a question to each process, and returns the answers.
    ///
    /// # Panics
    ///
    /// If a process has ended.
    pub fn ask(&self, question: &str) -> Vec<String> {
        self.running.iter().map(|process| process.ask(question)).collect()
    }

    /// Waits until each process gives this answer.
    ///
    /// # Panics
    ///
    /// If that takes longer than the limit, or if a process has ended.
    pub fn wait_for(&self, question: &str, answer: &str, limit: Duration) {
        let start = Instant::now();
        for process in &self.running {
            while process.ask(question) != answer {
                assert!(start.elapsed() < limit, "a process never answered {question} {answer}");
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Kills the process with this id. It gets no chance to clean up.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn kill(&mut self, id: u32) {
        let position = self.running.iter().position(|process| process.child.id() == id);
        drop(self.running.remove(position.expect("the process should be one of these")));
    }
}

/// Answers the questions of the parent process until it ends or drops its [`Processes`].
pub fn answer_questions(answer: impl Fn(&str) -> String) {
    for question in io::stdin().lock().lines() {
        let Ok(question) = question else { break };
        let mut output = io::stdout();
        if writeln!(output, "{}", answer(&question)).and_then(|()| output.flush()).is_err() {
            break;
        }
    }
}

impl Process {
    fn start(variables: &[(&str, String)]) -> Self {
        let program = env::current_exe().expect("the system should know this program");
        let mut child = Command::new(program)
            .envs(variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program should start again");
        let input = child.stdin.take().expect("the input is a pipe");
        let output = BufReader::new(child.stdout.take().expect("the output is a pipe"));
        Self { child, pipes: Mutex::new((input, output)) }
    }

    fn ask(&self, question: &str) -> String {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = &mut *pipes;
        writeln!(input, "{question}").expect("the process should run");
        let mut answer = String::new();
        output.read_line(&mut answer).expect("the process should answer");
        answer.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
