//! For how long a thread was ready to run and had no processor, and how often it was given one, where the system counts
//! that.

use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Schedstat;

    /// Most files kept open, one a thread: opening costs ten times what reading does, but a program may have few file
    /// descriptors, and what the first threads of a pool see speaks for the others.
    const MOST_FILES: usize = 32;
    static FILES: AtomicUsize = AtomicUsize::new(0);

    thread_local! {
        static STATISTICS: Option<Statistics> = Statistics::open();
    }

    /// The open file of one thread. It stands for the thread that opened it, whoever reads it.
    struct Statistics(File);

    fn open_own() -> io::Result<File> {
        File::open("/proc/thread-self/schedstat")
    }

    impl Statistics {
        fn open() -> Option<Self> {
            if FILES.fetch_add(1, Ordering::Relaxed) < MOST_FILES
                && let Ok(file) = open_own()
            {
                return Some(Self(file));
            }
            FILES.fetch_sub(1, Ordering::Relaxed);
            None
        }
    }

    impl Drop for Statistics {
        fn drop(&mut self) {
            FILES.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(in crate::engine::clock) fn schedstat() -> Option<Schedstat> {
        let read = |statistics: &Option<Statistics>| {
            // Three numbers of at most 20 digits.
            let mut text = [0; 64];
            let length = statistics.as_ref()?.0.read_at(&mut text, 0).ok()?;
            parse(text.get(..length)?)
        };
        STATISTICS.try_with(read).ok().flatten()
    }

    /// Three numbers, of which two are in nanoseconds.
    pub(in crate::engine) fn parse(text: &[u8]) -> Option<Schedstat> {
        let mut numbers = str::from_utf8(text).ok()?.split_ascii_whitespace().map(|number| number.parse().ok());
        let [used, delay, times] = [numbers.next()??, numbers.next()??, numbers.next()??];
        Some(Schedstat { used: Duration::from_nanos(used), delay: Duration::from_nanos(delay), times })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_delay_is_the_second_number_and_how_often_it_ran_the_third() {
            let [used, delay] = [135_524, 84_118].map(Duration::from_nanos);
            assert_eq!(parse(b"135524 84118 2\n"), Some(Schedstat { used, delay, times: 2 }));
            assert_eq!(parse(b""), None);
            assert_eq!(parse(b"135524"), None);
            assert_eq!(parse(b"1 x 2"), None);
            assert_eq!(parse(b"\xff\xff \xff"), None);
        }

        #[test]
        fn the_open_file_stands_for_the_thread_that_opened_it() {
            let mine = open_own().unwrap();
            let runs = |file: &File| {
                let mut text = [0; 64];
                let length = file.read_at(&mut text, 0).unwrap();
                let text = str::from_utf8(&text[..length]).unwrap();
                text.split_ascii_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
            };
            let before = runs(&mine);
            std::thread::scope(|scope| {
                // A new thread has run a handful of times; each of its sleeps would count if the file were its own.
                let mine = &mine;
                let seen = scope.spawn(move || {
                    (0..50).for_each(|_| std::thread::sleep(Duration::from_micros(1)));
                    runs(mine)
                });
                assert!(seen.join().unwrap() < before + 50);
            });
        }
    }
}

/// Systems that do not tell.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    pub(in crate::engine::clock) fn schedstat() -> Option<super::Schedstat> {
        None
    }
}

/// What the system counts of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Schedstat {
    /// For how long it had a processor, some milliseconds old where it runs.
    pub(in crate::engine) used: Duration,
    /// For how long it was ready to run and had no processor.
    pub(in crate::engine) delay: Duration,
    /// How often it was given one.
    pub(in crate::engine) times: u64,
}

pub(super) fn run_queue_delay() -> Option<Duration> {
    schedstat().map(|counted| counted.delay)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::engine) use system::parse;
pub(super) use system::schedstat;
