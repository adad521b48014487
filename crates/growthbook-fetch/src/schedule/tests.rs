//! Tests of the schedule, which pass the time themselves.

use super::backoff::FIRST_DELAY;
use super::doubts::PATIENCE;
use super::*;
use crate::options::DEFAULT_STREAM_TIMEOUT;

const fn secs(seconds: u64) -> Time {
    Duration::from_secs(seconds)
}

const MINUTE: Duration = secs(60);
const STREAM: Plan = Plan { stream: true, interval: Some(MINUTE) };
const POLL: Plan = Plan { stream: false, interval: Some(MINUTE) };
const OFFERED: FetchOutcome = FetchOutcome::Success { streaming: Some(true) };
const NOT_OFFERED: FetchOutcome = FetchOutcome::Success { streaming: Some(false) };
const CONFIRMED: FetchOutcome = FetchOutcome::Success { streaming: None };
const FAILED: FetchOutcome = failure(Prospect::Good);
const DOUBTFUL: FetchOutcome = failure(Prospect::Doubtful);
const REFUSED: FetchOutcome = failure(Prospect::Refused);

const fn failure(prospect: Prospect) -> FetchOutcome {
    FetchOutcome::Failure { prospect, retry_after: None }
}

const fn retry_after(delay: Duration) -> FetchOutcome {
    FetchOutcome::Failure { prospect: Prospect::Good, retry_after: Some(delay) }
}

/// Returns a schedule with a plan from time zero on, and without a fresh payload.
fn schedule(plan: Plan, seed: u64) -> Schedule {
    let mut schedule = Schedule::new(seed, DEFAULT_STREAM_TIMEOUT);
    schedule.set_plan(plan, Time::ZERO, Duration::ZERO);
    schedule
}

/// Returns the time of the next action.
fn due(schedule: &Schedule, now: Time) -> Time {
    match schedule.next(now) {
        Action::Wait(until) => until.expect("something is due"),
        _ => now,
    }
}

/// Returns a schedule whose stream was opened at this time, and has fetched since.
fn streaming(seed: u64, since: Time) -> Schedule {
    let mut schedule = schedule(STREAM, seed);
    schedule.fetched(since, OFFERED);
    assert_eq!(schedule.next(since), Action::Connect);
    schedule.stream_opened(since);
    assert_eq!(schedule.next(since), Action::Fetch);
    schedule.fetched(since, CONFIRMED);
    schedule
}

#[test]
fn manual_schedule_never_acts() {
    let mut schedule = schedule(Plan::default(), 1);
    assert_eq!(schedule.next(secs(1_000_000)), Action::Wait(None));
    for outcome in [OFFERED, FAILED, REFUSED] {
        schedule.fetched(secs(1), outcome);
        assert_eq!(schedule.next(secs(1_000_000)), Action::Wait(None));
    }
}

#[test]
fn poll_interval_varies_by_a_tenth() {
    for seed in 0..200 {
        let mut schedule = schedule(POLL, seed);
        let mut now = Time::ZERO;
        for _ in 0..20 {
            assert_eq!(schedule.next(now), Action::Fetch);
            schedule.fetched(now, OFFERED);
            let next = due(&schedule, now);
            assert!(next - now >= secs(54) && next - now <= secs(66), "{:?}", next - now);
            now = next;
        }
    }
}

#[test]
fn clients_do_not_poll_in_step() {
    let delays: Vec<Time> = (0..50)
        .map(|seed| {
            let mut schedule = schedule(POLL, seed);
            schedule.fetched(Time::ZERO, CONFIRMED);
            due(&schedule, Time::ZERO)
        })
        .collect();
    let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
    assert!(*most - *least > secs(8), "{least:?} to {most:?}");
}

#[test]
fn fresh_payload_delays_polling() {
    let mut polling = Schedule::new(1, DEFAULT_STREAM_TIMEOUT);
    polling.set_plan(POLL, Time::ZERO, secs(40));
    assert_eq!(polling.next(Time::ZERO), Action::Wait(Some(secs(40))));
    // A streaming client has to find out first whether the server streams.
    let mut streaming = Schedule::new(1, DEFAULT_STREAM_TIMEOUT);
    streaming.set_plan(STREAM, Time::ZERO, secs(40));
    assert_eq!(streaming.next(Time::ZERO), Action::Fetch);
}

#[test]
fn failures_back_off_up_to_the_interval() {
    for seed in 0..200 {
        let mut schedule = schedule(POLL, seed);
        schedule.fetched(Time::ZERO, CONFIRMED);
        let mut now = Time::ZERO;
        for limit in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60] {
            schedule.fetched(now, FAILED);
            let delay = due(&schedule, now) - now;
            let (least, most) = (secs(limit) / 2, secs(limit));
            let (least, most) = (least.max(FIRST_DELAY), most.max(FIRST_DELAY * 3 / 2));
            assert!(delay >= least && delay <= most, "{delay:?} of {limit}");
            now += delay;
        }
        // A success resets the backoff.
        schedule.fetched(now, CONFIRMED);
        schedule.fetched(now, FAILED);
        let delay = due(&schedule, now) - now;
        assert!(delay >= FIRST_DELAY && delay <= FIRST_DELAY * 3 / 2, "{delay:?}");
    }
}

#[test]
fn backoff_never_overflows() {
    let mut schedule = schedule(Plan { stream: false, interval: Some(Duration::MAX) }, 1);
    for _ in 0..100 {
        schedule.fetched(secs(1), FAILED);
        assert!(due(&schedule, secs(1)) > secs(1));
    }
    schedule.fetched(secs(1), CONFIRMED);
    assert!(due(&schedule, secs(1)) > secs(1_000_000));
}

#[test]
fn refusal_is_retried_slowly_forever() {
    let mut schedule = schedule(STREAM, 1);
    let mut now = Time::ZERO;
    for _ in 0..10 {
        schedule.fetched(now, REFUSED);
        let delay = due(&schedule, now) - now;
        assert!(delay >= secs(270) && delay <= secs(330), "{delay:?}");
        now += delay;
        assert_eq!(schedule.next(now), Action::Fetch);
    }
}

#[test]
fn retry_after_is_followed_within_bounds() {
    for (wish, least, most) in [(90, 90, 99), (0, 1, 2), (1_000_000, 3600, 3960)] {
        let mut schedule = schedule(POLL, 1);
        schedule.fetched(Time::ZERO, retry_after(secs(wish)));
        let delay = due(&schedule, Time::ZERO);
        assert!(delay >= secs(least) && delay <= secs(most), "{delay:?}");
    }
}

#[test]
fn stream_opens_if_offered_and_wanted() {
    for (plan, outcome, expected) in [
        (STREAM, OFFERED, true),
        (STREAM, NOT_OFFERED, false),
        (STREAM, CONFIRMED, false),
        (POLL, OFFERED, false),
    ] {
        let mut schedule = schedule(plan, 1);
        schedule.fetched(Time::ZERO, outcome);
        assert_eq!(schedule.next(Time::ZERO) == Action::Connect, expected, "{plan:?} {outcome:?}");
    }
}

#[test]
fn withdrawn_stream_is_not_opened() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.stream_ended(secs(1), StreamEnd::Failed, None);
    schedule.fetched(secs(1), NOT_OFFERED);
    let next = due(&schedule, secs(1));
    assert_eq!(schedule.next(next), Action::Fetch);
    // When it is offered again, it is opened.
    schedule.fetched(next, OFFERED);
    assert_eq!(schedule.next(next), Action::Connect);
}

#[test]
fn withdrawn_stream_is_not_reopened() {
    for end in [StreamEnd::Ended, StreamEnd::Silent, StreamEnd::Failed] {
        let mut schedule = streaming(1, Time::ZERO);
        schedule.fetched(secs(1), NOT_OFFERED);
        // The open stream is kept until it ends.
        assert_eq!(schedule.next(secs(50)), Action::Wait(None));
        schedule.stream_ended(secs(60), end, None);
        let next = due(&schedule, secs(60));
        assert_eq!(schedule.next(next), Action::Fetch, "{end:?}");
        schedule.fetched(next, OFFERED);
        assert_eq!(schedule.next(next), Action::Connect, "{end:?}");
    }
}

#[test]
fn open_stream_stops_polling() {
    let schedule = streaming(1, Time::ZERO);
    assert_eq!(schedule.next(secs(10_000)), Action::Wait(None));
}

#[test]
fn opening_a_stream_fetches() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.stream_ended(secs(60), StreamEnd::Ended, None);
    assert_eq!(schedule.next(secs(60)), Action::Connect);
    schedule.stream_opened(secs(61));
    assert_eq!(schedule.next(secs(61)), Action::Fetch);
    // The fetch is retried until it succeeds.
    schedule.fetched(secs(61), FAILED);
    assert!(due(&schedule, secs(61)) <= secs(63));
}

#[test]
fn notice_is_followed_by_a_fetch() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.noticed(secs(5));
    assert_eq!(schedule.next(secs(5)), Action::Fetch);
}

#[test]
fn ended_stream_reopens_at_once_unless_brief() {
    for (lived, end, at_once) in [
        (60, StreamEnd::Ended, true),
        (5, StreamEnd::Ended, true),
        (4, StreamEnd::Ended, false),
        (60, StreamEnd::Failed, true),
        (5, StreamEnd::Failed, true),
        (4, StreamEnd::Failed, false),
        (100, StreamEnd::Silent, true),
        // A short limit for silence does not make it connect without a pause.
        (1, StreamEnd::Silent, false),
    ] {
        let mut schedule = streaming(1, secs(100));
        let now = secs(100 + lived);
        schedule.stream_ended(now, end, None);
        let connects = schedule.next(now) == Action::Connect;
        assert_eq!(connects, at_once, "{end:?} after {lived} s");
    }
}

#[test]
fn server_is_polled_while_the_stream_is_down() {
    for seed in 0..100 {
        let mut schedule = streaming(seed, Time::ZERO);
        let lost = secs(1000);
        schedule.stream_ended(lost, StreamEnd::Failed, None);
        let mut now = lost;
        let mut polled = lost;
        while now < lost + secs(600) {
            now = due(&schedule, now);
            match schedule.next(now) {
                Action::Connect => schedule.stream_ended(now, StreamEnd::Failed, None),
                Action::Fetch => {
                    assert!(now - polled <= secs(66), "{:?}", now - polled);
                    polled = now;
                    schedule.fetched(now, CONFIRMED);
                }
                Action::Wait(_) => unreachable!("it was due"),
            }
        }
        assert!(polled > lost + secs(500));
    }
}

/// Otherwise the status of a streaming client would not say for a minute that the server is down.
#[test]
fn first_failure_after_a_stream_is_followed_by_a_fetch() {
    for ends in [&[StreamEnd::Failed][..], &[StreamEnd::Ended, StreamEnd::Failed]] {
        let mut schedule = streaming(1, Time::ZERO);
        let lost = secs(100);
        ends.iter().for_each(|end| schedule.stream_ended(lost, *end, None));
        let soon = schedule.fetch_due.unwrap();
        assert!(soon <= secs(101), "{soon:?}");
        schedule.fetched(soon, CONFIRMED);

        // Later failures do not add fetches.
        schedule.stream_ended(secs(102), StreamEnd::Failed, None);
        assert!(schedule.next(secs(102)) != Action::Fetch);
        assert!(schedule.next(secs(103)) != Action::Fetch);
    }
}

#[test]
fn failing_stream_backs_off() {
    for seed in 0..100 {
        let mut schedule = streaming(seed, Time::ZERO);
        let mut now = secs(1);
        for limit in [1_u64, 2, 4, 8, 16, 32, 60, 60, 60] {
            schedule.stream_ended(now, StreamEnd::Failed, None);
            let delay = schedule.connect_due.unwrap() - now;
            let least = secs(limit) / 2;
            assert!(delay >= least.max(secs(1)) && delay <= secs(limit) + secs(1), "{delay:?}");
            now += delay;
        }
    }
}

#[test]
fn payload_or_long_life_resets_the_backoff() {
    let delay_after = |trust: fn(&mut Schedule), lived: Duration| {
        let mut schedule = streaming(1, Time::ZERO);
        let mut now = secs(1);
        for _ in 0..10 {
            schedule.stream_ended(now, StreamEnd::Failed, None);
            now = schedule.connect_due.unwrap();
        }
        schedule.stream_opened(now);
        trust(&mut schedule);
        schedule.stream_ended(now + lived, StreamEnd::Failed, None);
        schedule.connect_due.unwrap() - now - lived
    };
    let bytes = |schedule: &mut Schedule| schedule.stream_data(secs(100_000));
    assert!(delay_after(bytes, secs(10)) > secs(20));
    assert!(delay_after(Schedule::stream_proved, secs(10)) < secs(2));
    assert!(delay_after(bytes, secs(60)) < secs(2));
}

#[test]
fn stream_retry_is_followed_within_bounds() {
    for (retry, least, most) in [(0, 1, 2), (10, 10, 11), (1_000_000, 3600, 3960)] {
        let mut schedule = streaming(1, Time::ZERO);
        schedule.stream_retry(secs(retry));
        schedule.stream_ended(secs(1), StreamEnd::Failed, None);
        let delay = schedule.connect_due.unwrap() - secs(1);
        assert!(delay >= secs(least) && delay <= secs(most), "{retry}: {delay:?}");
    }
}

#[test]
fn refused_stream_is_retried_slowly() {
    for (end, least, most) in [(StreamEnd::Refused, 270, 330), (StreamEnd::NoStream, 3240, 3960)] {
        let mut schedule = schedule(STREAM, 1);
        schedule.fetched(Time::ZERO, OFFERED);
        schedule.stream_ended(Time::ZERO, end, None);
        // Another offer does not make it sooner.
        schedule.fetched(secs(1), OFFERED);
        let delay = schedule.connect_due.unwrap();
        assert!(delay >= secs(least) && delay <= secs(most), "{delay:?}");
        assert!(due(&schedule, secs(1)) <= secs(67));
    }
}

#[test]
fn silence_is_noticed_within_ninety_seconds() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.stream_data(secs(1000));
    let until = schedule.silent_until().unwrap();
    assert!(until > secs(1060) && until <= secs(1090), "{until:?}");
    // Missed changes are fetched, whether or not the stream can be opened again.
    schedule.stream_ended(until, StreamEnd::Silent, None);
    assert_eq!(schedule.next(until), Action::Connect);
    schedule.stream_ended(until, StreamEnd::Failed, None);
    assert_eq!(schedule.next(until), Action::Fetch);
}

#[test]
fn retry_after_holds_when_clients_change() {
    let mut schedule = schedule(POLL, 1);
    schedule.fetched(Time::ZERO, retry_after(secs(1000)));
    for now in 1..10 {
        schedule.set_plan(STREAM, secs(now), Duration::ZERO);
        schedule.set_plan(
            Plan { stream: false, interval: Some(secs(1)) },
            secs(now),
            Duration::ZERO,
        );
        schedule.set_plan(Plan::default(), secs(now), Duration::ZERO);
        schedule.set_plan(POLL, secs(now), Duration::ZERO);
        assert!(due(&schedule, secs(now)) >= secs(1000));
    }
    let mut streaming = streaming(1, Time::ZERO);
    streaming.stream_ended(secs(1), StreamEnd::Failed, Some(secs(1000)));
    assert!(streaming.connect_due.unwrap() >= secs(1001));
}

#[test]
fn retry_after_holds_whatever_the_stream_does() {
    let not_yet = retry_after(secs(1000));
    type Event = fn(&mut Schedule);
    let events: [(&str, Event); 5] = [
        ("it is opened", |schedule| {
            schedule.stream_ended(secs(60), StreamEnd::Ended, None);
            schedule.stream_opened(secs(61));
        }),
        ("it announces a payload", |schedule| schedule.noticed(secs(60))),
        ("it is silent", |schedule| schedule.stream_ended(secs(60), StreamEnd::Silent, None)),
        ("it breaks", |schedule| schedule.stream_ended(secs(60), StreamEnd::Failed, None)),
        ("it brings an unreadable payload", |schedule| schedule.event_failed(secs(60))),
    ];
    for (name, event) in events {
        for (outcome, least) in [(not_yet, 1000), (REFUSED, 270)] {
            let mut schedule = streaming(1, Time::ZERO);
            schedule.fetched(Time::ZERO, outcome);
            event(&mut schedule);
            assert!(schedule.fetch_due.unwrap() >= secs(least), "{name}");
            // It holds until a fetch succeeds.
            schedule.fetch_begins(secs(62));
            schedule.fetched(secs(62), CONFIRMED);
            schedule.noticed(secs(63));
            assert_eq!(schedule.fetch_due, Some(secs(63)), "{name}");
        }
    }
}

#[test]
fn one_plan_serves_several_clients() {
    let manual = Plan::default();
    let often = Plan { stream: false, interval: Some(secs(5)) };
    let cases = [
        (manual, manual, manual),
        (manual, often, often),
        (POLL, often, often),
        (STREAM, often, Plan { stream: true, interval: Some(secs(5)) }),
    ];
    for (one, other, expected) in cases {
        assert_eq!(one.and(other), expected);
        assert_eq!(other.and(one), expected);
    }
}

#[test]
fn plan_change_counts_at_once() {
    let mut schedule = schedule(POLL, 1);
    schedule.fetched(Time::ZERO, OFFERED);
    schedule.set_plan(Plan { stream: false, interval: Some(secs(5)) }, secs(1), secs(60));
    assert!(due(&schedule, secs(1)) <= secs(6));
    schedule.set_plan(STREAM, secs(2), secs(60));
    assert_eq!(schedule.next(secs(2)), Action::Connect);
    schedule.stream_opened(secs(2));
    schedule.set_plan(POLL, secs(3), secs(60));
    assert!(!schedule.wants_stream());
    schedule.stream_ended(secs(3), StreamEnd::Ended, None);
    assert!(matches!(schedule.next(secs(100)), Action::Fetch));
    schedule.set_plan(Plan::default(), secs(4), secs(60));
    assert_eq!(schedule.next(secs(10_000)), Action::Wait(None));
}

#[test]
fn starting_server_is_asked_soon() {
    for seed in 0..100 {
        for outcome in [FAILED, DOUBTFUL] {
            let mut schedule = schedule(POLL, seed);
            let mut now = Time::ZERO;
            while now < PATIENCE {
                schedule.fetched(now, outcome);
                let delay = due(&schedule, now) - now;
                assert!(delay <= LONGEST_START_DELAY, "{delay:?} after {outcome:?}");
                now += delay;
            }
        }
    }
}

#[test]
fn doubtful_failure_becomes_a_refusal() {
    let mut schedule = schedule(POLL, 1);
    // A payload from before does not make a restart last longer.
    schedule.fetched(Time::ZERO, CONFIRMED);
    let mut now = secs(60);
    while now < secs(60) + PATIENCE {
        schedule.fetched(now, DOUBTFUL);
        let delay = due(&schedule, now) - now;
        assert!(delay <= LONGEST_START_DELAY, "{delay:?}");
        now += delay;
    }
    schedule.fetched(now, DOUBTFUL);
    assert!(due(&schedule, now) - now >= secs(270));
    // A success ends the series.
    schedule.fetched(now, CONFIRMED);
    schedule.fetched(now, DOUBTFUL);
    assert!(due(&schedule, now) - now <= secs(2));
}

#[test]
fn slow_backoff_follows_a_long_failure() {
    let mut schedule = schedule(POLL, 1);
    let mut now = Time::ZERO;
    while now < PATIENCE {
        schedule.fetched(now, FAILED);
        now = due(&schedule, now);
    }
    schedule.fetched(now, FAILED);
    let delay = due(&schedule, now) - now;
    assert!(delay >= secs(30) && delay <= MINUTE, "{delay:?}");
}

#[test]
fn stream_of_a_starting_server_is_opened_soon() {
    for seed in 0..100 {
        let mut schedule = streaming(seed, Time::ZERO);
        schedule.stream_retry(secs(10));
        let mut now = secs(60);
        while now < secs(60) + PATIENCE {
            schedule.stream_ended(now, StreamEnd::Doubtful, None);
            let delay = schedule.connect_due.unwrap() - now;
            assert!(delay >= secs(1) && delay <= LONGEST_START_DELAY, "{delay:?}");
            now += delay;
        }
        schedule.stream_ended(now, StreamEnd::Doubtful, None);
        assert!(schedule.connect_due.unwrap() - now >= secs(270));
        // An open stream ends the series.
        schedule.stream_opened(now);
        schedule.stream_ended(now, StreamEnd::Doubtful, None);
        assert!(schedule.connect_due.unwrap() - now <= LONGEST_START_DELAY);
    }
}

#[test]
fn broken_stream_is_replaced_at_once_the_first_time() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.stream_retry(secs(10));
    schedule.stream_ended(secs(30), StreamEnd::Failed, None);
    assert_eq!(schedule.connect_due, Some(secs(30)));
    assert_eq!(schedule.fetch_due, Some(secs(30)));
    // It breaks again, and has not proved that it works.
    schedule.stream_opened(secs(30));
    schedule.stream_ended(secs(40), StreamEnd::Failed, None);
    assert!(schedule.connect_due.unwrap() >= secs(50));
}

#[test]
fn brief_streams_leave_no_long_gap() {
    for seed in 0..100 {
        for (lived, longest) in [(3000, 1100), (1000, 1100), (1, 5500)] {
            let lived = Duration::from_millis(lived);
            let mut schedule = streaming(seed, Time::ZERO);
            schedule.stream_retry(secs(10));
            let mut now = Time::ZERO;
            for _ in 0..20 {
                now += lived;
                schedule.stream_ended(now, StreamEnd::Ended, None);
                let mut heard = now;
                while schedule.next(now) != Action::Connect {
                    let next = due(&schedule, now);
                    assert!(next - heard <= Duration::from_millis(longest), "{:?}", next - heard);
                    now = next;
                    if schedule.next(now) == Action::Fetch {
                        schedule.fetch_begins(now);
                        schedule.fetched(now, CONFIRMED);
                        heard = now;
                    }
                }
                schedule.stream_opened(now);
                schedule.fetch_begins(now);
                schedule.fetched(now, CONFIRMED);
            }
        }
    }
}

#[test]
fn bad_events_never_postpone_a_fetch() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.fetched(secs(1), FAILED);
    let due_before = schedule.fetch_due.unwrap();
    for tenths in 10..40 {
        schedule.event_failed(Duration::from_millis(tenths * 100));
        assert_eq!(schedule.fetch_due, Some(due_before));
    }
}

#[test]
fn bad_events_cause_fewer_and_fewer_fetches() {
    let mut schedule = streaming(1, Time::ZERO);
    let mut fetches = Vec::new();
    for tenths in (10..6000).step_by(4) {
        let now = Duration::from_millis(tenths * 100);
        schedule.event_failed(now);
        if schedule.next(now) == Action::Fetch {
            schedule.fetch_begins(now);
            schedule.fetched(now, CONFIRMED);
            fetches.push(now);
        }
    }
    assert!((8..=30).contains(&fetches.len()), "{fetches:?}");
    // Never less often than polling.
    let longest = fetches.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest <= secs(61), "{longest:?}");
}

#[test]
fn notices_cause_one_fetch_a_second() {
    for (outcome, most) in [(CONFIRMED, 60), (FAILED, 8), (DOUBTFUL, 32), (REFUSED, 1)] {
        let mut schedule = streaming(1, Time::ZERO);
        let mut fetches = 0;
        for millis in 1000..61_000 {
            let now = Duration::from_millis(millis);
            schedule.noticed(now);
            if schedule.next(now) == Action::Fetch {
                schedule.fetch_begins(now);
                schedule.fetched(now, outcome);
                fetches += 1;
            }
        }
        assert!(fetches >= 1 && fetches <= most, "{fetches} after {outcome:?}");
        if outcome == CONFIRMED {
            assert!(fetches >= 59, "{fetches}");
        }
    }
}

#[test]
fn notice_during_a_fetch_is_not_lost() {
    let mut schedule = streaming(1, Time::ZERO);
    schedule.noticed(secs(10));
    schedule.fetch_begins(secs(10));
    schedule.noticed(secs(11));
    schedule.fetched(secs(12), CONFIRMED);
    assert_eq!(schedule.next(secs(12)), Action::Fetch);
    schedule.fetch_begins(secs(12));
    schedule.fetched(secs(13), CONFIRMED);
    assert_eq!(schedule.next(secs(1000)), Action::Wait(None));
}

#[test]
fn payload_from_before_a_notice_is_too_old() {
    let mut schedule = streaming(1, Time::ZERO);
    assert_eq!(schedule.max_age(secs(50)), secs(50));
    schedule.noticed(secs(49));
    assert_eq!(schedule.max_age(secs(50)), secs(1));
    schedule.fetched_by_others(secs(50), secs(1), None);
    assert_eq!(schedule.next(secs(1000)), Action::Wait(None));
}

/// A notice reaches the processes one after another. The fetch of the first must serve them all.
#[test]
fn one_fetch_serves_a_notice_to_several_processes() {
    let mut processes: Vec<Schedule> = (0..8).map(|seed| streaming(seed, Time::ZERO)).collect();
    let mut now = secs(10);
    for schedule in &mut processes {
        schedule.set_shared(true);
        schedule.noticed(now);
        now += Duration::from_millis(25);
    }
    let began = due(&processes[0], secs(10));
    assert!(began <= secs(10) + Duration::from_millis(200), "{began:?}");
    for schedule in &processes {
        let asks = due(schedule, began);
        assert!(asks - began <= schedule.max_age(asks), "it fetches again at {asks:?}");
    }
}

#[test]
fn odd_caches_do_not_change_the_pace() {
    let mut schedule = schedule(POLL, 1);
    schedule.fetched_by_others(Time::ZERO, secs(1_000_000), None);
    assert!(due(&schedule, Time::ZERO) >= secs(20));
    for (wish, least, most) in [(0, 50, 100), (u64::MAX, 60_000, 72_000)] {
        schedule.postpone_fetch(Time::ZERO, secs(wish));
        let delay = schedule.fetch_due.unwrap();
        let bounds = Duration::from_millis(least)..=Duration::from_millis(most);
        assert!(bounds.contains(&delay), "{delay:?}");
    }
}

#[test]
fn fetch_from_before_a_resume_does_not_count() {
    let mut schedule = schedule(POLL, 1);
    schedule.fetch_begins(Time::ZERO);
    schedule.fetch_soon(secs(2));
    assert_eq!(schedule.next(secs(2)), Action::Fetch);
    schedule.fetched(secs(3), NOT_OFFERED);
    assert_eq!(schedule.next(secs(3)), Action::Fetch);
    schedule.fetch_begins(secs(3));
    schedule.fetched(secs(4), NOT_OFFERED);
    assert!(due(&schedule, secs(4)) > secs(50));
}
