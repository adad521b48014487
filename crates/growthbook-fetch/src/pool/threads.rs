//! The threads of a pool. Each one runs a task, watches the sockets and the clock, or rests.
//!
//! One thread watches at a time. When something happens, it runs the task itself, and another thread
//! watches meanwhile. So a pool with one task has one thread.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use growthbook_net::{Socket, Watch, WatchControl, WatchedSocket};
use growthbook_support::contain;

use super::tasks::{TaskId, Tasks};
use super::{Next, Pool, Task};

/// The most threads of a pool. There are so many only while tasks hang. Without these, at most
/// [`QUICK_RUNS`](super::tasks::QUICK_RUNS) threads run tasks, and one thread watches.
pub(super) const MAX_THREADS: usize = 64;
/// A thread without work ends after this time.
const REST: Duration = Duration::from_secs(5);
/// The delay before a task that panicked runs again.
const PAUSE_AFTER_PANIC: Duration = Duration::from_secs(1);
/// The delay between two reads of a socket that the system cannot watch.
const UNWATCHED_PAUSE: Duration = Duration::from_millis(100);

/// The tasks and threads of a pool.
pub(super) struct State {
    pub(super) tasks: Tasks<Arc<dyn Task>>,
    /// The sockets that tasks wait for.
    sockets: HashMap<TaskId, WatchedSocket>,
    /// There are a watch and its control as long as there are threads.
    control: Option<Arc<WatchControl>>,
    watch: Watcher,
    threads: HashMap<ThreadId, Worker>,
    /// The number of threads that rest, or have just been started.
    resting: usize,
    /// Threads that are about to end.
    ended: Vec<JoinHandle<()>>,
}

/// The watch, or the thread that has it.
enum Watcher {
    /// No thread watches.
    Idle(Option<Watch>),
    /// A thread watches until this time.
    Watching { until: Option<Instant> },
}

/// A thread of the pool.
struct Worker {
    handle: JoinHandle<()>,
    /// The task that it runs.
    task: Option<TaskId>,
}

impl Default for State {
    fn default() -> Self {
        State {
            tasks: Tasks::new(),
            sockets: HashMap::new(),
            control: None,
            watch: Watcher::Idle(None),
            threads: HashMap::new(),
            resting: 0,
            ended: Vec::new(),
        }
    }
}

impl State {
    /// Opens the watch, unless it is open.
    fn open_watch(&mut self) -> io::Result<()> {
        if self.control.is_none() {
            let (watch, control) = Watch::new()?;
            self.control = Some(Arc::new(control));
            self.watch = Watcher::Idle(Some(watch));
        }
        Ok(())
    }

    /// Closes the descriptors of the watch, when there are no threads.
    fn close_watch(&mut self) {
        self.control = None;
        self.watch = Watcher::Idle(None);
    }

    /// Forgets a task, and returns it if it was there. Drop it under no lock.
    pub(super) fn forget(&mut self, id: TaskId) -> Option<Arc<dyn Task>> {
        self.unwatch(id);
        self.tasks.remove(id)
    }

    fn unwatch(&mut self, id: TaskId) {
        if let (Some(socket), Some(control)) = (self.sockets.remove(&id), &self.control) {
            control.remove(socket);
        }
    }

    /// Watches a socket for a task. False if that is not possible.
    fn watch(&mut self, id: TaskId, socket: Socket) -> bool {
        let watched = self.control.as_ref().and_then(|control| control.add(socket, id).ok());
        let is_watched = watched.is_some();
        self.sockets.extend(watched.map(|watched| (id, watched)));
        is_watched
    }

    /// Whether there are no tasks, but threads that do not run one.
    pub(super) fn is_ending(&self) -> bool {
        self.tasks.is_empty() && self.threads.len() > self.tasks.running()
    }

    pub(super) fn has_threads(&self) -> bool {
        !self.threads.is_empty()
    }

    pub(super) fn is_own_thread(&self) -> bool {
        self.threads.contains_key(&thread::current().id())
    }

    /// Whether the current thread runs this task.
    pub(super) fn runs_here(&self, id: TaskId) -> bool {
        self.threads.get(&thread::current().id()).is_some_and(|it| it.task == Some(id))
    }

    fn set_running(&mut self, id: Option<TaskId>) {
        if let Some(worker) = self.threads.get_mut(&thread::current().id()) {
            worker.task = id;
        }
    }

    /// Returns the threads that are about to end, to wait for them.
    pub(super) fn take_ended(&mut self) -> Vec<JoinHandle<()>> {
        core::mem::take(&mut self.ended)
    }
}

impl Pool {
    /// Makes sure that a thread does what is due now, and that one watches if tasks wait. Call it after
    /// each change. One more thread is enough: it calls this function itself.
    pub(super) fn attend(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let now = Instant::now();
        let time = state.tasks.next_time(now);
        let is_due = time.is_some_and(|time| time <= now);
        match state.watch {
            Watcher::Watching { .. } if is_due && state.resting > 0 => self.work.notify_one(),
            Watcher::Watching { until } => {
                let is_earlier = |time| until.is_none_or(|until| time < until);
                if let (true, Some(control)) = (time.is_some_and(is_earlier), &state.control) {
                    control.wake();
                }
            }
            Watcher::Idle(_) if !state.tasks.has_idle() => {}
            Watcher::Idle(_) if state.resting > 0 => self.work.notify_one(),
            Watcher::Idle(_) if state.threads.len() < MAX_THREADS => self.start_thread(state)?,
            // The next thread that is free does it.
            Watcher::Idle(_) => {}
        }
        Ok(())
    }

    /// Lets all threads notice that there are no tasks.
    pub(super) fn end_threads(&self, state: &State) {
        self.work.notify_all();
        if let Some(control) = &state.control {
            control.wake();
        }
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        state.open_watch()?;
        let pool = self.clone();
        let work = move || {
            let thread = Working(pool);
            thread.0.work();
        };
        let handle = thread::Builder::new().name("growthbook-fetch".into()).spawn(work)?;
        state.resting += 1;
        let id = handle.thread().id();
        state.threads.insert(id, Worker { handle, task: None });
        Ok(())
    }

    /// Works until there are no tasks, or enough other threads.
    fn work(self: &Arc<Self>) {
        let mut state = self.lock();
        state.resting -= 1;
        let mut has_rested = false;
        loop {
            let now = Instant::now();
            state.tasks.ring(now);
            if state.tasks.is_empty() {
                return;
            }
            if let Some((id, task)) = state.tasks.begin(now) {
                state = self.run_task(state, id, task);
                has_rested = false;
            } else if let Watcher::Idle(watch) = &mut state.watch
                && let Some(watch) = watch.take()
            {
                state = self.watch(state, watch);
            } else if has_rested {
                return;
            } else {
                (state, has_rested) = self.rest(state);
            }
        }
    }

    /// Waits for work; true if there was no work for a while.
    fn rest<'a>(
        self: &Arc<Self>,
        mut state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, bool) {
        // The task that this thread ran last may be due before the others.
        let _ = self.attend(&mut state);
        state.resting += 1;
        let waited = self.work.wait_timeout(state, REST);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.resting -= 1;
        (state, timeout.timed_out())
    }

    /// Runs a task.
    fn run_task<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        id: TaskId,
        task: Arc<dyn Task>,
    ) -> MutexGuard<'a, State> {
        state.unwatch(id);
        state.set_running(Some(id));
        // If no thread is started, this one goes on later.
        let _ = self.attend(&mut state);
        drop(state);
        let next = contain(|| task.run()).unwrap_or_else(|_| Next::Wait {
            until: Instant::now().checked_add(PAUSE_AFTER_PANIC),
            socket: None,
        });
        state = self.lock();
        state.set_running(None);
        let forgotten = match next {
            Next::Now => {
                state.tasks.end(id, Some(Instant::now()));
                None
            }
            Next::Wait { until, socket } => {
                Self::end_with_wait(&mut state, id, until, socket);
                None
            }
            Next::Never => {
                let forgotten = state.tasks.remove(id);
                state.tasks.end(id, None);
                forgotten
            }
        };
        if state.tasks.is_empty() {
            self.end_threads(&state);
        }
        self.ended.notify_all();
        drop(state);
        // Dropping a task may call foreign code.
        let _ = contain(|| drop((task, forgotten)));
        self.lock()
    }

    /// Ends a run after which the task waits.
    fn end_with_wait(
        state: &mut State,
        id: TaskId,
        until: Option<Instant>,
        socket: Option<Socket>,
    ) {
        let Some(socket) = socket else {
            state.tasks.end(id, until);
            return;
        };
        let soon = Instant::now().checked_add(UNWATCHED_PAUSE);
        if !state.watch(id, socket) {
            state.tasks.end(id, until.into_iter().chain(soon).min());
        } else if !state.tasks.end(id, until) {
            state.unwatch(id);
        }
    }

    /// Waits for sockets and for the time of the next task.
    fn watch<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mut watch: Watch,
    ) -> MutexGuard<'a, State> {
        let now = Instant::now();
        let until = state.tasks.next_time(now);
        state.watch = Watcher::Watching { until };
        drop(state);
        let ready = watch.wait(until.map(|until| until.saturating_duration_since(now)));
        state = self.lock();
        state.watch = Watcher::Idle(Some(watch));
        ready.into_iter().for_each(|id| state.tasks.wake(id));
        state
    }
}

/// Notes the end of a thread when dropped, even after a panic.
struct Working(Arc<Pool>);

impl Drop for Working {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let Some(worker) = state.threads.remove(&thread::current().id()) {
            if !state.tasks.is_empty() {
                // Otherwise the call that removed the last task waits for all of them.
                state.ended.retain(|ended| !ended.is_finished());
            }
            state.ended.push(worker.handle);
        }
        if !state.has_threads() {
            state.close_watch();
        }
        // After a panic another thread goes on.
        let _ = self.0.attend(&mut state);
        drop(state);
        self.0.ended.notify_all();
    }
}
