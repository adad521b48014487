//! A few threads for many tasks.
//!
//! A task is run again and again. Between two runs it waits for a time, for bytes on a socket, or to be
//! woken, and needs no thread. So the number of threads does not grow with the number of tasks.

mod tasks;
mod threads;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use growthbook_net::Socket;

pub(crate) use tasks::TaskId;

use threads::State;

/// Work that is done in parts.
pub(crate) trait Task: Send + Sync {
    /// Does the next part, and returns when to run again. The pool runs a task on one thread at a time.
    /// A run may wait for the network and call foreign code.
    fn run(&self) -> Next;
}

/// When a task is run again.
pub(crate) enum Next {
    /// After the runs of other tasks that are due.
    Now,
    /// When the time has come, the socket has bytes or has ended, or the task is woken.
    Wait { until: Option<Instant>, socket: Option<Socket> },
    /// Never: the pool forgets the task.
    Never,
}

/// Threads that run tasks.
///
/// At most [`MAX_THREADS`](threads::MAX_THREADS) tasks run at the same time: if all of them hang, the
/// others wait. There are threads only while there are tasks. A child process after a fork needs
/// a pool of its own.
pub(crate) struct Pool {
    state: Mutex<State>,
    /// Notified when a resting thread has something to do.
    work: Condvar,
    /// Notified when a run or a thread has ended.
    ended: Condvar,
}

/// The state of a task that was removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// It does not run any more.
    Ended,
    /// This thread is in the middle of its last run.
    OnThisThread,
    /// Its last run takes longer than allowed. It ends later.
    TimedOut,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Pool { state: Mutex::default(), work: Condvar::new(), ended: Condvar::new() }
    }

    /// Adds a task, whose first run begins soon.
    ///
    /// # Errors
    ///
    /// When there is no thread, and the system does not start one.
    pub(crate) fn add(self: &Arc<Self>, task: Arc<dyn Task>) -> io::Result<TaskId> {
        let mut state = self.lock();
        let id = state.tasks.add(task);
        let attended = self.attend(&mut state);
        match attended {
            Err(error) if !state.has_threads() => {
                // The caller keeps a handle on the task, so this does not drop it.
                drop(state.tasks.remove(id));
                Err(error)
            }
            // If there are threads, they run this task as well.
            _ => Ok(id),
        }
    }

    /// Runs a task soon, or once more after its current run.
    pub(crate) fn wake(self: &Arc<Self>, id: TaskId) {
        let mut state = self.lock();
        state.tasks.wake(id);
        // Without a new thread, the others run the task later.
        let _ = self.attend(&mut state);
    }

    /// Removes a task, and waits for the end of its last run. If it was the last task, this also
    /// waits for the threads, but not for those that hang in a run.
    pub(crate) fn remove(&self, id: TaskId, limit: Duration) -> Removed {
        let start = Instant::now();
        let mut state = self.lock();
        let removed = state.forget(id);
        let runs_here = state.runs_here(id);
        if state.tasks.is_empty() {
            self.end_threads(&state);
        }
        if runs_here {
            drop(state);
            drop(removed);
            return Removed::OnThisThread;
        }
        while state.tasks.is_running(id) || (!state.is_own_thread() && state.is_ending()) {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let has_ended =
            !state.tasks.is_running(id) && (state.is_own_thread() || !state.is_ending());
        let threads = state.take_ended();
        drop(state);
        // The task may be dropped here, which may call foreign code.
        drop(removed);
        for thread in threads {
            // The thread ends. An error means that it panicked, and the panic was printed.
            let _ = thread.join();
        }
        if has_ended { Removed::Ended } else { Removed::TimedOut }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Sender};

    use super::*;

    /// No test waits this long, unless something is broken.
    const PATIENCE: Duration = Duration::from_secs(45);

    /// A task whose runs are a function of their number.
    struct Runs<F> {
        done: AtomicUsize,
        run: F,
    }

    impl<F: Fn(usize) -> Next + Send + Sync> Task for Runs<F> {
        fn run(&self) -> Next {
            (self.run)(self.done.fetch_add(1, Ordering::Relaxed))
        }
    }

    fn runs(run: impl Fn(usize) -> Next + Send + Sync + 'static) -> Arc<dyn Task> {
        Arc::new(Runs { done: AtomicUsize::new(0), run })
    }

    fn asleep() -> Next {
        Next::Wait { until: None, socket: None }
    }

    /// A task that reports each run, and then waits until it is woken.
    fn reporting(reports: &Sender<usize>) -> Arc<dyn Task> {
        let reports = reports.clone();
        runs(move |run| {
            reports.send(run).unwrap();
            asleep()
        })
    }

    #[test]
    fn each_wake_leads_to_a_step() {
        let pool = Arc::new(Pool::new());
        let (reports, runs) = mpsc::channel();
        let tasks: Vec<TaskId> = (0..50).map(|_| pool.add(reporting(&reports)).unwrap()).collect();
        for expected in 0..3 {
            for _ in &tasks {
                assert_eq!(runs.recv_timeout(PATIENCE), Ok(expected));
            }
            tasks.iter().for_each(|task| pool.wake(*task));
        }
        for task in tasks {
            assert_eq!(pool.remove(task, PATIENCE), Removed::Ended);
        }
        assert!(!pool.lock().has_threads());
    }

    #[test]
    fn step_after_a_panic_is_done() {
        let pool = Arc::new(Pool::new());
        let (reports, done) = mpsc::channel();
        let task = pool.add(runs(move |run| {
            assert_ne!(run, 0, "the first run panics");
            reports.send(run).unwrap();
            Next::Never
        }));
        assert_eq!(done.recv_timeout(PATIENCE), Ok(1));
        assert_eq!(pool.remove(task.unwrap(), PATIENCE), Removed::Ended);
    }

    #[test]
    fn task_may_remove_itself_and_others() {
        let pool = Arc::new(Pool::new());
        let (reports, outcomes) = mpsc::channel();
        let id = Arc::<OnceLock<TaskId>>::default();
        let other = pool.add(runs(|_| asleep())).unwrap();
        let task = runs({
            let (pool, id) = (pool.clone(), id.clone());
            move |_| {
                reports.send(pool.remove(other, PATIENCE)).unwrap();
                reports.send(pool.remove(*id.wait(), PATIENCE)).unwrap();
                Next::Now
            }
        });
        id.set(pool.add(task).unwrap()).unwrap();
        assert_eq!(outcomes.recv_timeout(PATIENCE), Ok(Removed::Ended));
        assert_eq!(outcomes.recv_timeout(PATIENCE), Ok(Removed::OnThisThread));
        // It does not run again, and drops the sender.
        assert!(outcomes.recv_timeout(PATIENCE).is_err());
    }

    #[test]
    fn removal_does_not_wait_for_a_hanging_step() {
        let pool = Arc::new(Pool::new());
        let (go_on, gate) = mpsc::channel::<()>();
        let (reports, hangs) = mpsc::channel();
        let gate = Mutex::new(gate);
        let hanging = pool.add(runs(move |_| {
            reports.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            Next::Never
        }));
        let idle = pool.add(runs(|_| asleep())).unwrap();
        hangs.recv_timeout(PATIENCE).unwrap();
        assert_eq!(pool.remove(hanging.unwrap(), Duration::ZERO), Removed::TimedOut);
        // This waits for the other threads, but not for the one that hangs.
        assert_eq!(pool.remove(idle, PATIENCE), Removed::Ended);
        assert!(pool.lock().has_threads());
        drop(go_on);
        let start = Instant::now();
        while pool.lock().has_threads() {
            assert!(start.elapsed() < PATIENCE, "the thread does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
