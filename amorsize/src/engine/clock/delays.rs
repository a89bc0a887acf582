//! For how long a thread had no processor while it ran chunks, and whether it wanted one: read now and then, since
//! reading takes 0.7 µs.

use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::decide::observed::Delay;

use super::schedstat::{Schedstat, schedstat};
use super::thread_cpu_time;

/// Work between two readings.
const BETWEEN_READINGS: Duration = Duration::from_micros(250);
/// What is expected to take so long may take far longer, since the thread is blocked: it is worth a first reading, which
/// takes a hundredth of that.
const WORTH_READING: Duration = Duration::from_micros(110);

/// The delays of one thread, read now and then while it runs chunks.
#[derive(Debug)]
pub(crate) struct Delays {
    /// The last reading, by which thread, and the work since then.
    read: Option<(Schedstat, ThreadId)>,
    since: Duration,
    /// Work between two readings.
    between: Duration,
    used: Option<Used>,
}

/// The time that a thread had a processor. That is found out only after it had none: until then it was not blocked.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// The last reading.
    time: Duration,
    /// Work since then, and the delays in that.
    since: Duration,
    delay: Duration,
}

impl Used {
    fn now() -> Option<Self> {
        thread_cpu_time().map(|time| Self { time, since: Duration::ZERO, delay: Duration::ZERO })
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self::now_and_then()
    }
}

impl Delays {
    pub(crate) fn now_and_then() -> Self {
        Self { read: None, since: Duration::ZERO, between: BETWEEN_READINGS, used: None }
    }

    /// Delays that are read before and after each chunk.
    pub(crate) fn of_each_chunk() -> Self {
        Self { between: Duration::ZERO, ..Self::now_and_then() }
    }

    /// The thread begins with what is `expected` to take so long: a first reading, if another one may well follow at
    /// its end.
    pub(crate) fn before(&mut self, expected: Duration) {
        if self.read.is_none() && expected >= self.between.min(WORTH_READING) {
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.read = schedstat().map(|read| (read, thread::current().id()));
        self.used = self.read.and_then(|_| Used::now());
    }

    /// The thread has worked for `wall`: its delay since the last reading, once there was enough work to be worth one.
    /// Delays stay with the thread until then.
    pub(crate) fn after(&mut self, wall: Duration) -> Delay {
        self.since += wall;
        if self.since < self.between {
            return Delay::default();
        }
        let of = std::mem::take(&mut self.since);
        // A stream may have been moved to another thread.
        let this = thread::current().id();
        let before = self.read.filter(|&(_, thread)| thread == this);
        let Some((before, now)) = before.map(|(before, _)| before).zip(schedstat()) else {
            self.begin();
            return Delay::default();
        };
        self.read = Some((now, this));
        let delay = now.delay.saturating_sub(before.delay);
        let blocked = self.blocked(of, delay, now.times != before.times);
        Delay { seconds: delay.as_secs_f64(), blocked: blocked.as_secs_f64(), of: of.as_secs_f64() }
    }

    /// For how long the thread was blocked in so much work. What it did between chunks counts as if it had been work,
    /// so it may have been longer.
    fn blocked(&mut self, work: Duration, delay: Duration, was_off: bool) -> Duration {
        let Some(used) = &mut self.used else { return Duration::ZERO };
        used.since += work;
        used.delay += delay;
        if !was_off {
            return Duration::ZERO;
        }
        let Used { time, since, delay } = *used;
        self.used = Used::now();
        let on = self.used.map_or(since, |used| used.time.saturating_sub(time));
        since.saturating_sub(on + delay).min(work)
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn delays_are_read_after_enough_work_and_none_of_that_is_left_out() {
        let mut delays = Delays::now_and_then();
        let part = BETWEEN_READINGS / 8;
        delays.before(part);
        assert_eq!(
            [0; 8].map(|_| delays.after(part).of),
            [0.0; 8],
            "what the first reading is held against is not known"
        );
        assert_eq!([0; 8].map(|_| delays.after(part).of)[7], BETWEEN_READINGS.as_secs_f64());
        let mut delays = Delays::now_and_then();
        delays.before(BETWEEN_READINGS);
        assert_eq!(delays.after(BETWEEN_READINGS).of, BETWEEN_READINGS.as_secs_f64());
    }

    #[test]
    fn a_thread_that_sleeps_is_blocked() {
        let mut delays = Delays::now_and_then();
        delays.before(BETWEEN_READINGS);
        let begin = Instant::now();
        thread::sleep(Duration::from_millis(5));
        let Delay { seconds, blocked, of } = delays.after(begin.elapsed());
        assert!((4e-3..=of - seconds).contains(&blocked), "{blocked} and {seconds} of {of}");
    }
}
