//! The tasks of a pool: which one runs next, and when. This is pure: the caller passes the time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// The most tasks that run at the same time, without the slow ones.
pub(super) const QUICK_RUNS: usize = 16;
/// A run that takes this long is slow: it probably hangs. It no longer counts among the quick
/// ones, so that another task can run.
pub(super) const SLOW_AFTER: Duration = Duration::from_secs(1);

/// The number of a task. Numbers are not used again.
pub(crate) type TaskId = usize;

/// The tasks of a pool, and what each of them waits for.
pub(super) struct Tasks<T> {
    tasks: BTreeMap<TaskId, Entry<T>>,
    next_id: TaskId,
    /// The tasks that are due, in the order in which they run.
    queue: VecDeque<TaskId>,
    /// When tasks are due, if nothing else happens before.
    alarms: BTreeSet<(Instant, TaskId)>,
    /// The tasks that run, and since when. They may have been removed.
    running: BTreeMap<TaskId, Instant>,
}

struct Entry<T> {
    task: T,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Running {
        /// The task was woken meanwhile, so it runs again.
        is_woken: bool,
    },
    Waiting {
        until: Option<Instant>,
    },
}

impl<T: Clone> Tasks<T> {
    /// Returns a pool's tasks before the first one.
    pub(super) fn new() -> Self {
        Tasks {
            tasks: BTreeMap::new(),
            next_id: 0,
            queue: VecDeque::new(),
            alarms: BTreeSet::new(),
            running: BTreeMap::new(),
        }
    }

    /// Adds a task. It is due at once.
    pub(super) fn add(&mut self, task: T) -> TaskId {
        let id = self.next_id;
        self.next_id += 1;
        self.tasks.insert(id, Entry { task, phase: Phase::Queued });
        self.queue.push_back(id);
        id
    }

    /// Puts a task into the queue, now or after its current run.
    pub(super) fn wake(&mut self, id: TaskId) {
        let Some(entry) = self.tasks.get_mut(&id) else { return };
        match &mut entry.phase {
            Phase::Queued => {}
            Phase::Running { is_woken } => *is_woken = true,
            Phase::Waiting { until } => {
                if let Some(until) = *until {
                    self.alarms.remove(&(until, id));
                }
                entry.phase = Phase::Queued;
                self.queue.push_back(id);
            }
        }
    }

    /// Wakes the tasks whose time has come.
    pub(super) fn ring(&mut self, now: Instant) {
        while let Some((time, id)) = self.alarms.first().copied()
            && time <= now
        {
            self.wake(id);
        }
    }

    /// Begins a run of the next task; `None` if no task is due, or too many run.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(TaskId, T)> {
        if self.quick_runs(now).count() >= QUICK_RUNS {
            return None;
        }
        let id = self.queue.pop_front()?;
        let entry = self.tasks.get_mut(&id)?;
        entry.phase = Phase::Running { is_woken: false };
        self.running.insert(id, now);
        Some((id, entry.task.clone()))
    }

    /// Ends a run. The task runs again at this time, or when it is woken. Returns false if it does not
    /// wait, because it was woken meanwhile or removed.
    pub(super) fn end(&mut self, id: TaskId, until: Option<Instant>) -> bool {
        self.running.remove(&id);
        let Some(entry) = self.tasks.get_mut(&id) else { return false };
        let is_woken = entry.phase == Phase::Running { is_woken: true };
        entry.phase = Phase::Waiting { until };
        if let Some(until) = until {
            self.alarms.insert((until, id));
        }
        if is_woken {
            self.wake(id);
        }
        !is_woken
    }

    /// Removes a task. Its current run goes on.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<T> {
        let entry = self.tasks.remove(&id)?;
        match entry.phase {
            Phase::Queued => self.queue.retain(|queued| *queued != id),
            Phase::Waiting { until: Some(until) } => {
                self.alarms.remove(&(until, id));
            }
            Phase::Waiting { until: None } | Phase::Running { .. } => {}
        }
        Some(entry.task)
    }

    /// Returns when a thread has to look for something to do. `None` if it has nothing to do before a
    /// task is woken.
    pub(super) fn next_time(&self, now: Instant) -> Option<Instant> {
        let alarm = self.alarms.first().map(|(time, _)| *time);
        if self.queue.is_empty() {
            return alarm;
        }
        let quick: Vec<Instant> = self.quick_runs(now).collect();
        let free = if quick.len() < QUICK_RUNS {
            Some(now)
        } else {
            quick.into_iter().min().and_then(|began| began.checked_add(SLOW_AFTER))
        };
        free.into_iter().chain(alarm).min()
    }

    /// Whether all tasks were removed.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether a task is in the queue, or waits.
    pub(super) fn has_idle(&self) -> bool {
        let is_running = |entry: &Entry<T>| matches!(entry.phase, Phase::Running { .. });
        self.tasks.values().any(|entry| !is_running(entry))
    }

    /// Whether this task runs now.
    pub(super) fn is_running(&self, id: TaskId) -> bool {
        self.running.contains_key(&id)
    }

    /// Returns the number of tasks that run now.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Returns when the runs that are not slow began.
    fn quick_runs(&self, now: Instant) -> impl Iterator<Item = Instant> {
        let is_quick = move |began: &Instant| now.saturating_duration_since(*began) < SLOW_AFTER;
        self.running.values().copied().filter(is_quick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(tasks: &mut Tasks<&'static str>, now: Instant) -> Option<(TaskId, &'static str)> {
        tasks.ring(now);
        tasks.begin(now)
    }

    #[test]
    fn tasks_run_in_turn() {
        let now = Instant::now();
        let mut tasks = Tasks::new();
        let (a, b) = (tasks.add("a"), tasks.add("b"));
        assert_eq!(begin(&mut tasks, now), Some((a, "a")));
        assert!(tasks.end(a, Some(now)));
        // The task that has just acted is the last one.
        assert_eq!(begin(&mut tasks, now), Some((b, "b")));
        assert_eq!(begin(&mut tasks, now), Some((a, "a")));
        assert_eq!(begin(&mut tasks, now), None);
    }

    #[test]
    fn alarm_or_wake_lets_a_task_run() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut tasks = Tasks::new();
        let a = tasks.add("a");
        begin(&mut tasks, now).unwrap();
        assert!(tasks.end(a, Some(later)));
        assert_eq!(tasks.next_time(now), Some(later));
        assert_eq!(begin(&mut tasks, now), None);
        assert_eq!(begin(&mut tasks, later), Some((a, "a")));
        assert!(tasks.end(a, Some(later)));
        tasks.wake(a);
        tasks.wake(a);
        assert_eq!(tasks.next_time(now), Some(now));
        assert_eq!(begin(&mut tasks, now), Some((a, "a")));
        assert_eq!(begin(&mut tasks, later), None, "it runs already");
    }

    #[test]
    fn wake_during_a_step_is_kept() {
        let now = Instant::now();
        let mut tasks = Tasks::new();
        let a = tasks.add("a");
        begin(&mut tasks, now).unwrap();
        tasks.wake(a);
        assert_eq!(begin(&mut tasks, now), None);
        assert!(!tasks.end(a, None));
        assert_eq!(begin(&mut tasks, now), Some((a, "a")));
        assert!(tasks.end(a, None));
        assert_eq!(begin(&mut tasks, now), None);
        assert_eq!(tasks.next_time(now), None);
    }

    #[test]
    fn slow_tasks_let_others_run() {
        let now = Instant::now();
        let mut tasks = Tasks::new();
        for _ in 0..=QUICK_RUNS {
            tasks.add("hangs");
        }
        let last = tasks.add("waits");
        while begin(&mut tasks, now).is_some() {}
        assert_eq!(tasks.running(), QUICK_RUNS);
        assert_eq!(tasks.next_time(now), Some(now + SLOW_AFTER));
        let later = now + SLOW_AFTER;
        assert_eq!(tasks.next_time(later), Some(later));
        while let Some((id, _)) = begin(&mut tasks, later) {
            assert!(tasks.is_running(id));
        }
        assert!(tasks.is_running(last));
    }

    #[test]
    fn removed_task_does_not_run_again() {
        let now = Instant::now();
        let mut tasks = Tasks::new();
        let [queued, running, waiting] = ["queued", "running", "waiting"].map(|it| tasks.add(it));
        for _ in 0..3 {
            begin(&mut tasks, now).unwrap();
        }
        tasks.end(queued, Some(now));
        tasks.ring(now);
        tasks.end(waiting, Some(now));
        for id in [queued, running, waiting] {
            assert!(tasks.remove(id).is_some());
            assert!(tasks.remove(id).is_none());
            tasks.wake(id);
        }
        assert!(tasks.is_empty());
        assert!(tasks.is_running(running));
        assert!(!tasks.end(running, Some(now)));
        assert_eq!(tasks.running(), 0);
        assert_eq!(begin(&mut tasks, now), None);
        assert_eq!(tasks.next_time(now), None);
    }
}
