//! At most `buffer_size` items are taken and not yet yielded, at every single pull.

use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use amorsize::{ByValue, Pool, Tuner};

use crate::support::{Meter, Way, compute, watched};

/// How long an item takes, in microseconds.
type Cost = fn(u64) -> u64;

const COSTS: [(&str, Cost); 4] = [
    ("even", |_| 2),
    ("uneven", |item| if item % 17 == 3 { 150 } else { 1 }),
    ("cheap, then dear", |item| if item < 200 { 0 } else { 60 }),
    ("dear, then cheap", |item| if item < 20 { 60 } else { 0 }),
];

const ITEMS: u64 = 300;

/// What else could move the window.
#[derive(Clone, Copy, Debug)]
struct Setting {
    ordered: bool,
    pool: Option<Pool>,
    chunk_size: Option<usize>,
    sample_size: usize,
    /// Microseconds that the consumer takes for a result.
    consumer: u64,
}

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for ordered in [true, false] {
        for pool in [None, Some(Pool::Cpu), Some(Pool::Blocking)] {
            for (chunk_size, sample_size) in [(None, 5), (Some(5), 1), (Some(1_000), 50), (None, 10_000)] {
                for consumer in [0, 15] {
                    settings.push(Setting { ordered, pool, chunk_size, sample_size, consumer });
                }
            }
        }
    }
    settings
}

impl Setting {
    fn tuner(self, cost: Cost) -> Tuner<ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
        let tuner = Way::Planned.of(Tuner::new("costing", move |item| {
            compute(cost(item));
            item
        }));
        let tuner = tuner.ordered(self.ordered).pool(self.pool).sample_size(self.sample_size);
        match self.chunk_size {
            Some(chunk_size) => tuner.chunk_size(chunk_size),
            None => tuner,
        }
    }

    fn consume(self, meter: &Meter) {
        meter.count();
        compute(self.consumer);
    }
}

/// Runs everything with one pinned buffer size.
fn check_pinned(buffer_size: usize) {
    watched(move || {
        for (name, cost) in COSTS {
            for setting in settings() {
                let meter = Rc::new(Meter::default());
                let tuner = setting.tuner(cost).buffer_size(buffer_size);
                for _ in tuner.stream(meter.source(0..ITEMS)) {
                    setting.consume(&meter);
                }
                assert!(meter.most() <= buffer_size, "{name}: {} of {buffer_size} out, {setting:?}", meter.most());
                assert_eq!(meter.taken() as u64, ITEMS, "{name}, {setting:?}");
            }
        }
    });
}

#[test]
fn a_buffer_of_one() {
    check_pinned(1);
}

#[test]
fn a_buffer_of_two() {
    check_pinned(2);
}

#[test]
fn a_buffer_of_three() {
    check_pinned(3);
}

#[test]
fn a_buffer_of_seven() {
    check_pinned(7);
}

#[test]
fn a_buffer_of_sixty_four() {
    check_pinned(64);
}

#[test]
fn a_planned_buffer_holds_what_the_plan_says() {
    watched(|| {
        for (name, cost) in COSTS {
            for setting in settings() {
                let meter = Rc::new(Meter::default());
                let mut stream = setting.tuner(cost).stream(meter.source(0..ITEMS));
                let stated = stream.plan().buffer_size();
                while stream.next().is_some() {
                    setting.consume(&meter);
                }
                assert_eq!(stream.plan().buffer_size(), stated, "{name}: the stated bound does not change");
                assert!(meter.most() <= stated, "{name}: {} of {stated} out, {setting:?}", meter.most());
            }
        }
    });
}

/// Some memory is always in use.
#[test]
fn a_source_that_may_take_no_memory_is_asked_for_one_item_at_a_time() {
    watched(|| {
        for (name, cost) in COSTS {
            for setting in settings() {
                for plans in [false, true] {
                    let meter = Rc::new(Meter::default());
                    let mut stream = setting.tuner(cost).memory_threshold(0.0).stream(meter.source(0..ITEMS));
                    if plans {
                        let _ = stream.plan();
                    }
                    while stream.next().is_some() {
                        setting.consume(&meter);
                    }
                    assert_eq!((meter.most(), meter.taken() as u64), (1, ITEMS), "{name}, {setting:?}");
                }
            }
        }
    });
}

#[test]
fn the_first_items_hold_no_more_than_they_have_turned_out_to_take() {
    const MEGABYTE: usize = 1 << 20;
    watched(|| {
        let meter = Rc::new(Meter::default());
        let tuner = Way::Planned.of(Tuner::new("first", |_: u64| vec![0_u8; MEGABYTE]));
        let mut stream = tuner.sample_size(10_000).stream(meter.source(0..1_000));
        let _ = stream.plan();
        assert!((1..=8).contains(&meter.taken()), "{} of a megabyte each", meter.taken());
    });
}

#[test]
fn large_results_that_become_dear_stay_within_the_planned_buffer() {
    watched(|| {
        let meter = Rc::new(Meter::default());
        let tuner = Way::Planned.of(Tuner::new("large", |item: u64| {
            compute(if item < 3_000 { 0 } else { 30 });
            [item; 4096]
        }));
        let mut stream = tuner.sample_size(1_000).stream(meter.source(0..4_000));
        let stated = stream.plan().buffer_size();
        for _ in stream {
            meter.count();
        }
        assert!(meter.most() <= stated, "{} of {stated} out", meter.most());
    });
}

#[test]
fn internal_iteration_and_borrowed_calls_keep_the_bound_too() {
    watched(|| {
        for (_, cost) in COSTS {
            for setting in settings() {
                let meter = Rc::new(Meter::default());
                let tuner = setting.tuner(cost).buffer_size(7);
                tuner.for_each(meter.source(0..ITEMS), |_| setting.consume(&meter));
                tuner.stream(meter.source(0..ITEMS)).for_each(|_| setting.consume(&meter));
                assert!(meter.most() <= 7, "{} out, {setting:?}", meter.most());
            }
        }
    });
}

#[test]
fn the_report_never_shows_more_in_flight_than_the_buffer_holds() {
    watched(|| {
        for buffer_size in [2, 7, 64] {
            let tuner = Way::Ordered.of(Tuner::new("reported", |item: u64| compute(item % 9)));
            let mut stream = tuner.buffer_size(buffer_size).stream(0..ITEMS);
            while stream.next().is_some() {
                assert!(stream.report().in_flight() <= buffer_size as u64);
            }
            assert_eq!(stream.report().in_flight(), 0);
            assert_eq!(stream.report().items_out(), ITEMS);
        }
    });
}

/// A slow item holds back what is yielded, not what is begun: the window is there to be used. Nor does it if the source
/// was silent just before, so that results come first for a while.
#[test]
fn one_slow_item_keeps_no_other_from_being_run_within_the_window() {
    watched(|| {
        const WINDOW: usize = 1_000;
        for (ordered, silence) in [(true, 0), (false, 0), (true, 20), (false, 20)] {
            let source = (0..2_000).inspect(move |&item| {
                if item == 40 {
                    thread::sleep(Duration::from_millis(silence));
                }
            });
            let begun = Arc::new((Mutex::new(0), Condvar::new()));
            let count = Arc::clone(&begun);
            let tuner = Way::Planned.of(Tuner::new("one of them slow", move |item: u64| {
                let (begun, changed) = &*count;
                let mut begun = begun.lock().expect("nobody panics");
                *begun += 1;
                changed.notify_all();
                if item == 50 {
                    drop(changed.wait_while(begun, |begun| *begun < WINDOW - 50).expect("nobody panics"));
                } else {
                    drop(begun);
                }
                item
            }));
            let tuner = tuner.pool(Pool::Blocking).threads(4).chunk_size(1).buffer_size(WINDOW).ordered(ordered);
            assert_eq!(tuner.stream(source).sum::<u64>(), (0..2_000).sum::<u64>());
        }
    });
}
