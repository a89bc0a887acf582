//! What the whole of it promises, with histories made by hand.
//!
//! - here: which plan is predicted
//! - [`attempts`]: threads that nobody has tried, or that did badly
//! - [`trust`]: what is believed, and how much

mod attempts;
mod trust;

use std::num::NonZeroUsize;
use std::time::Duration;

use super::*;
use crate::decide::costs::Costs;
use crate::decide::pilot::Basis;
use crate::decide::situation::Owns;
use crate::decide::verdict::Verdict;
use crate::learn::sample::{Predicted, Sample};
use crate::plan::{Origin, Pool};

const EIGHT: Situation = Situation { cores: 8, available_memory: 1 << 33, ..Situation::TWO_CORES };

pub(in crate::learn) fn sample(pool: Pool, threads: u32, item: f64, speedup: f64) -> Sample {
    let costs = Costs { source: 2e-9, item, consumer: 3e-9, result_bytes: 8.0, ..Costs::default() };
    Sample {
        time: 1_000,
        body: 1,
        build: 2,
        machine: 3,
        call_site: 4,
        length: 10_000,
        items: 10_000,
        pool,
        threads,
        chunk_size: ((100e-6 / item).ceil() as u32).max(1),
        buffer_size: 1_000,
        ordered: true,
        costs,
        end_to_end: (costs.serial() / speedup) as f32,
        speedup: speedup as f32,
        predicted: None,
    }
}

pub(in crate::learn) fn query<'a>(options: &'a Options) -> Query<'a> {
    Query {
        body: 1,
        build: 2,
        machine: 3,
        similarity: &|_| 0.0,
        call_site: 4,
        items: Some(10_000),
        at_least: 10_000,
        options,
        situation: &EIGHT,
    }
}

fn model(samples: impl IntoIterator<Item = Sample>) -> Model {
    let mut model = Model::default();
    samples.into_iter().for_each(|sample| model.add(&sample));
    model
}

fn good(count: usize, item: f64) -> Model {
    model((0..count).map(|_| sample(Pool::Cpu, 8, item, 7.5)))
}

#[test]
fn cheap_items_are_predicted_to_stay_in_the_plain_loop() {
    let options = Options::default();
    let model = model((0..3).map(|_| sample(Pool::Serial, 1, 1e-9, 1.0)));
    assert_eq!(model.predict(&query(&options), 0.7).unwrap().pool, Pool::Serial);
}

#[test]
fn a_chunk_that_did_well_is_taken_although_the_planned_one_did_badly() {
    let options = Options::default();
    let of = |chunk_size, speedup| Sample { chunk_size, ..sample(Pool::Cpu, 2, 1e-3, speedup) };
    for good in [3, 10] {
        let samples = (0..3).map(|_| of(1, 0.3)).chain((0..good).map(|_| of(64, 1.9)));
        let query = Query { situation: &Situation::TWO_CORES, ..query(&options) };
        let forecast = model(samples).forecast(&query).unwrap();
        assert_eq!((forecast.pool, forecast.chunk_size), (Pool::Cpu, 64), "{forecast:?}");
    }
}

#[test]
fn three_bad_outcomes_at_eight_threads_rule_out_eight_threads() {
    let options = Options::default();
    let forecast = model((0..3).map(|_| sample(Pool::Cpu, 8, 1e-3, 0.1))).forecast(&query(&options)).unwrap();
    assert!(forecast.threads < 4, "{forecast:?}");
    assert_eq!(forecast.pool, Pool::Serial, "nothing promises more than the loop");
    assert!(forecast.reason.ends_with("and that threads did no better than the plain loop"), "{}", &*forecast.reason);
    let nobody = Query { items: Some(0), ..query(&options) };
    assert_eq!(good(3, 50e-6).forecast(&nobody).map(|forecast| forecast.pool), Some(Pool::Serial), "for no items");
}

#[test]
fn what_is_too_large_for_the_stack_of_a_thread_gets_none_whatever_they_gained() {
    let options = Options::default();
    let large = Situation { item_bytes: 1 << 20, ..EIGHT };
    let pool = |situation| good(5, 1e-3).forecast(&Query { situation, ..query(&options) }).unwrap().pool;
    assert_eq!((pool(&EIGHT), pool(&large)), (Pool::Cpu, Pool::Serial));
}

#[test]
fn a_history_that_is_read_says_what_it_said_before_it_was_written() {
    let of = |run: u64| {
        let item = if run.is_multiple_of(3) { 20e-6 } else { 200e-6 };
        let (pool, threads, speedup) = if run.is_multiple_of(4) { (Pool::Serial, 1, 1.0) } else { (Pool::Cpu, 2, 1.8) };
        let length = 100 << (run % 5);
        Sample { length, items: length, ..sample(pool, threads, item, speedup) }
    };
    let samples: Vec<Sample> = (0..300).map(of).collect();
    let options = Options::default();
    for len in [3, 10, 17, 18, 30, 60, 300] {
        let (grown, read) = (model(samples[..len].to_vec()), Model::from_samples(&samples[..len]));
        assert_eq!(grown.forecast(&query(&options)), read.forecast(&query(&options)), "{len}");
    }
}

#[test]
fn a_better_outcome_wins_over_the_model() {
    let options = Options::default();
    let outcomes = [(8, 2.0), (8, 2.0), (4, 3.5), (4, 3.5)];
    let model = model(outcomes.map(|(threads, speedup)| sample(Pool::Cpu, threads, 1e-4, speedup)));
    let forecast = model.forecast(&query(&options)).unwrap();
    assert!((3..=6).contains(&forecast.threads), "{forecast:?}");
}

#[test]
fn the_same_history_and_query_give_the_same_forecast() {
    let options = Options::default();
    let forecast = |()| good(50, 20e-6).forecast(&query(&options)).unwrap();
    assert_eq!(forecast(()), forecast(()));
}

#[test]
fn pinned_options_win() {
    let two = NonZeroUsize::new(2);
    let options = Options { threads: two, chunk_size: two, buffer_size: NonZeroUsize::new(9), ..Options::default() };
    let forecast = good(5, 50e-6).forecast(&query(&options)).unwrap();
    assert_eq!((forecast.threads, forecast.chunk_size, forecast.buffer_size), (2, 2, 9));
    let serial = Options { pool: Some(Pool::Serial), ..Options::default() };
    assert_eq!(good(5, 50e-6).forecast(&query(&serial)).unwrap().pool, Pool::Serial);
}

#[test]
fn a_plan_of_a_larger_machine_is_recomputed_for_this_one() {
    let options = Options::default();
    let model = model((0..5).map(|_| sample(Pool::Cpu, 64, 1e-3, 60.0)));
    let forecast = model.forecast(&Query { machine: 9, similarity: &|_| 0.85, ..query(&options) }).unwrap();
    assert_eq!(forecast.threads, 8);
}

#[test]
fn waiting_functions_get_more_threads_than_there_are_cores() {
    let options = Options::default();
    let waiting = |threads: u32| {
        let sample = sample(Pool::Blocking, threads, 5e-3, f64::from(threads));
        Sample { costs: Costs { blocked: 0.98, ..sample.costs }, ..sample }
    };
    let model = model([16, 32, 64].map(waiting));
    let forecast = model.forecast(&query(&options)).unwrap();
    assert_eq!(forecast.pool, Pool::Blocking);
    assert!(forecast.threads >= 64, "{forecast:?}");
    for most in 1..=3 {
        let options = Options { max_blocking_threads: NonZeroUsize::new(most).unwrap(), ..Options::default() };
        let threads = model.forecast(&query(&options)).unwrap().threads;
        assert!(threads <= most, "{threads} wait, of {most} at most");
    }
}

#[test]
fn threads_taught_by_hand_that_gain_more_than_cores_can_give_wait() {
    let options = Options::default();
    let two = Situation { cores: 2, ..EIGHT };
    let forecast = |samples: Vec<Sample>| {
        let model = model(samples);
        model.forecast(&Query { situation: &two, ..query(&options) }).unwrap()
    };
    let taught = forecast(vec![sample(Pool::Blocking, 64, 20e-3, 60.0); 3]);
    assert_eq!(taught.pool, Pool::Blocking, "{taught:?}");
    assert!(taught.threads >= 48 && (50.0..70.0).contains(&taught.expected_speedup), "{taught:?}");
    let idle = forecast(vec![sample(Pool::Blocking, 64, 20e-3, 1.9); 3]);
    assert!(idle.threads <= 2, "the cores can do that: {idle:?}");
}

#[test]
fn no_more_is_promised_than_the_window_has_room_for() {
    let model = model(vec![
        Sample {
            costs: Costs { blocked: 1.0, ..sample(Pool::Blocking, 64, 5e-3, 60.0).costs },
            ..sample(Pool::Blocking, 64, 5e-3, 60.0)
        };
        4
    ]);
    let forecast = |window, chunk, threads| {
        let [buffer_size, chunk_size, threads] = [window, chunk, threads].map(NonZeroUsize::new);
        let options = Options { buffer_size, chunk_size, threads, ..Options::default() };
        model.forecast(&query(&options)).unwrap()
    };
    let unbound = forecast(0, 0, 0);
    assert!(unbound.threads >= 32 && unbound.expected_speedup > 30.0, "{unbound:?}");
    for (window, chunk, most) in [(4, 0, 4), (8, 2, 4)] {
        let bound = forecast(window, chunk, 0);
        assert!((2..=most).contains(&bound.threads) && bound.expected_speedup <= most as f64, "{bound:?}");
    }
    let pinned = forecast(4, 0, 64);
    assert!(pinned.threads == 64 && pinned.expected_speedup <= 4.0, "{pinned:?}");
}

#[test]
fn reasons_are_sentences() {
    let options = Options::default();
    let reason = good(3, 50e-6).forecast(&query(&options)).unwrap().plan().reason().to_owned();
    assert_eq!(reason, "3 earlier runs say items take 50.0µs, and that 8 threads do well");
}
