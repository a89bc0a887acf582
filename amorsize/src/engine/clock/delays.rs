//! The run-queue delays of a thread while it runs chunks: read now and then, since reading takes 0.7 µs.

use std::time::Duration;

use crate::decide::observed::Delay;

use super::schedstat::run_queue_delay;

/// Work between two readings.
const BETWEEN_READINGS: Duration = Duration::from_micros(250);

/// The run-queue delays of one thread, read now and then while it runs chunks.
#[derive(Debug)]
pub(crate) struct Delays {
    /// The last reading, and the work since then.
    read: Option<Duration>,
    since: Duration,
    /// Work between two readings.
    between: Duration,
}

impl Delays {
    pub(crate) fn now_and_then() -> Self {
        Self { read: None, since: Duration::ZERO, between: BETWEEN_READINGS }
    }

    /// Delays that are read before and after each chunk.
    pub(crate) fn of_each_chunk() -> Self {
        Self { between: Duration::ZERO, ..Self::now_and_then() }
    }

    /// The thread begins with what is `expected` to take so long: a first reading, if another one will follow at its
    /// end.
    pub(crate) fn before(&mut self, expected: Duration) {
        if self.read.is_none() && expected >= self.between {
            self.read = run_queue_delay();
        }
    }

    /// The thread has worked for `wall`: its delay since the last reading, once there was enough work to be worth one.
    /// Delays stay with the thread until then.
    pub(crate) fn after(&mut self, wall: Duration) -> Delay {
        self.since += wall;
        if self.since < self.between {
            return Delay::default();
        }
        let (of, before) = (std::mem::take(&mut self.since), self.read);
        self.read = run_queue_delay();
        let delay = before.zip(self.read).map(|(before, now)| now.saturating_sub(before));
        delay.map_or(Delay::default(), |delay| Delay { seconds: delay.as_secs_f64(), of: of.as_secs_f64() })
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_after_enough_work_and_none_of_that_is_left_out() {
        let mut delays = Delays::now_and_then();
        let part = BETWEEN_READINGS / 4;
        delays.before(part);
        assert_eq!(
            [0; 4].map(|_| delays.after(part).of),
            [0.0; 4],
            "what the first reading is held against is not known"
        );
        assert_eq!([0; 4].map(|_| delays.after(part).of)[3], BETWEEN_READINGS.as_secs_f64());
        let mut delays = Delays::now_and_then();
        delays.before(BETWEEN_READINGS);
        assert_eq!(delays.after(BETWEEN_READINGS).of, BETWEEN_READINGS.as_secs_f64());
    }
}
