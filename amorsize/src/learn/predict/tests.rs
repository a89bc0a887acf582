//! What the whole of it promises, with histories made by hand.

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
fn two_samples_are_too_few_and_three_are_enough() {
    let options = Options::default();
    assert_eq!(good(2, 50e-6).forecast(&query(&options)), None);
    let forecast = good(3, 50e-6).predict(&query(&options), 0.7).unwrap();
    assert_eq!((forecast.pool, forecast.threads, forecast.samples), (Pool::Cpu, 8, 3));
    assert!((forecast.expected_speedup - 7.5).abs() < 0.5, "{forecast:?}");
}

#[test]
fn cheap_items_are_predicted_to_stay_in_the_plain_loop() {
    let options = Options::default();
    let model = model((0..3).map(|_| sample(Pool::Serial, 1, 1e-9, 1.0)));
    assert_eq!(model.predict(&query(&options), 0.7).unwrap().pool, Pool::Serial);
}

#[test]
fn untried_threads_are_not_predicted_where_they_may_cost_more_than_they_save() {
    let options = Options::default();
    let model = model((0..3).map(|_| sample(Pool::Serial, 1, 200e-9, 1.0)));
    let predicted = |owns, items| {
        let situation = Situation { owns, ..EIGHT };
        let query = Query { items: Some(items), at_least: items, situation: &situation, ..query(&options) };
        model.forecast(&query).unwrap().pool
    };
    assert_eq!(predicted(Owns::Nothing, 10_000), Pool::Cpu);
    assert_eq!(predicted(Owns::Anything, 10_000), Pool::Serial, "2 ms");
    assert_eq!(predicted(Owns::Anything, 1_000_000), Pool::Cpu);
    let tried = good(3, 200e-9);
    let situation = Situation { owns: Owns::Anything, ..EIGHT };
    let query = Query { situation: &situation, ..query(&options) };
    assert_eq!(tried.forecast(&query).unwrap().pool, Pool::Cpu, "they did well");
}

#[test]
fn attempts_that_may_leave_a_heap_in_disorder_come_later_and_never_as_a_threadless_process_first() {
    let options = Options::default();
    let cheap = Sample { items: 200, length: 200, ..sample(Pool::Serial, 1, 1e-6, 1.0) };
    let is_due = |runs: usize, owns, is_threadless| {
        let situation = Situation { owns, is_threadless, ..EIGHT };
        let query = Query { situation: &situation, ..query(&options) };
        model(vec![cheap.clone(); runs]).is_neglected(&query, &cheap.costs)
    };
    assert!(is_due(110, Owns::Nothing, true), "22 ms");
    assert!(!is_due(110, Owns::Anything, false) && is_due(600, Owns::Anything, false));
    assert!(!is_due(600, Owns::Anything, true));
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
fn threads_that_failed_are_due_again_ever_more_seldom() {
    let options = Options::default();
    let stale_after = |failures: usize| {
        let threads = [8, 2, 4].into_iter().cycle().take(failures);
        let mut model = model(threads.map(|threads| sample(Pool::Cpu, threads, 5e-6, 0.2)));
        // A run of the plain loop takes 50 ms.
        let stale = |_: &usize| {
            model.add(&sample(Pool::Serial, 1, 5e-6, 1.0));
            model.forecast(&query(&options)).unwrap().is_stale
        };
        (1..100).find(stale).unwrap()
    };
    assert_eq!([3, 4, 5].map(stale_after), [16, 32, 32]);
    let mut cheap = model(vec![sample(Pool::Serial, 1, 10e-9, 1.0); 1_000]);
    cheap.add(&Sample { items: 100_000_000, ..sample(Pool::Serial, 1, 10e-9, 1.0) });
    assert!(!cheap.forecast(&query(&options)).unwrap().is_stale, "threads would not pay anyway");
}

#[test]
fn threads_that_are_due_begin_at_once_and_not_all_of_many() {
    let options = Options::default();
    let mut model = model([8, 2, 4].map(|threads| sample(Pool::Cpu, threads, 5e-6, 0.2)));
    (0..200).for_each(|_| model.add(&sample(Pool::Serial, 1, 5e-6, 1.0)));
    let due = model.forecast(&query(&options)).unwrap();
    assert_eq!((due.pool, due.is_stale), (Pool::Serial, true), "what is recommended does not change");
    let threads = |cores| {
        let prior = due.prior(true, &options, &Situation { cores, ..EIGHT });
        let Verdict { pool, threads, reason, gain } = prior.verdict;
        assert!(pool == Pool::Cpu && reason.contains("due for another attempt"), "{pool}, {reason}");
        assert!(
            prior.basis == Basis::Attempt && (0.8..=1.0).contains(&(gain / threads as f64)),
            "{gain} with {threads}"
        );
        let Origin::Predicted { confidence, .. } = prior.origin else { panic!("{:?}", prior.origin) };
        assert!((confidence + due.confidence - 1.0).abs() < 1e-9, "{confidence} and {}", due.confidence);
        threads
    };
    assert_eq!([threads(8), threads(64)], [8, 16]);
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
fn threads_that_did_badly_are_not_taken_with_another_chunk_or_because_they_once_did_well() {
    let options = Options::default();
    let threads = |model: &Model| model.forecast(&query(&options)).unwrap().threads;
    let with_chunk = |threads, speedup| Sample { chunk_size: 1_000, ..sample(Pool::Cpu, threads, 100e-6, speedup) };
    let good = std::iter::repeat_n(with_chunk(4, 3.9), 5);
    let mixed = model(good.chain(std::iter::repeat_n(with_chunk(8, 0.1), 3)));
    assert_eq!(threads(&mixed), 4);
    let far = Query { items: Some(100_000_000), ..query(&options) };
    assert!(mixed.forecast(&far).unwrap().threads < 8, "all that is known is of shorter inputs");
    for (before, item) in [(10, 10e-6), (20, 10e-6), (20, 1e-3)] {
        let mut model = self::good(before, item);
        assert_eq!(threads(&model), 8);
        (0..3).for_each(|_| model.add(&sample(Pool::Cpu, 8, item, 0.1)));
        assert!(threads(&model) < 8, "{before} good ones, then three bad ones");
    }
}

#[test]
fn first_items_that_are_cheaper_than_the_others_do_not_keep_threads_away() {
    // Two threads took 0.85 ms an item, and were held against a first item of 0.75 ms. The others take 1.6 ms.
    let of = |pool, item, speedup| {
        let sample = Sample { items: 12, length: 12, ..sample(pool, 2, item, speedup) };
        let costs = Costs { item: if pool == Pool::Cpu { 1.7e-3 } else { item }, ..sample.costs };
        Sample { costs, ..sample }
    };
    let options = Options::default();
    let query = Query { items: Some(12), at_least: 12, situation: &Situation::TWO_CORES, ..query(&options) };
    let begun = || model(vec![of(Pool::Cpu, 0.75e-3, 0.75 / 0.85); 3]);
    let after = |loops: &[f64]| {
        let mut model = begun();
        loops.iter().for_each(|&each| model.add(&of(Pool::Serial, each, 1.0)));
        model.forecast(&query).unwrap().pool
    };
    assert_eq!([after(&[]), after(&[1.6e-3])], [Pool::Serial; 2], "one run may have been disturbed");
    assert_eq!(after(&[1.6e-3, 1.6e-3]), Pool::Cpu);
    assert_eq!(after(&[1.6e-3, 0.76e-3, 1.6e-3]), Pool::Serial, "the fastest is what the loop takes");
    assert_eq!(after(&[3e-3, 3e-3]), Pool::Serial, "threads did not spend so much on an item: these were others");
    let mut later = begun();
    [1.6e-3; 2].iter().for_each(|&each| later.add(&of(Pool::Serial, each, 1.0)));
    later.add(&of(Pool::Cpu, 0.75e-3, 0.75 / 0.85));
    let speedup = later.forecast(&query).unwrap().expected_speedup;
    assert!((1.6..=2.0).contains(&speedup), "what is recorded later is held against the same runs: {speedup}");
}

#[test]
fn an_attempt_may_take_a_few_short_runs() {
    let of = |pool, speedup| Sample { items: 200, length: 200, ..sample(pool, 2, 1e-6, speedup) };
    let (slow_start, quick_start) = (of(Pool::Cpu, 0.6), of(Pool::Cpu, 1.5));
    let is_due = |model: &Model| model.is_neglected(&query(&Options::default()), &Costs::default());
    let mut model = model(vec![of(Pool::Serial, 1.0); 3]);
    assert!(!is_due(&model));
    let attempt = |model: &mut Model| {
        [&slow_start; 6].map(|sample| {
            model.add(sample);
            is_due(model)
        })
    };
    assert_eq!(attempt(&mut model), [true, true, true, true, true, false]);
    // 0.2 ms each; six runs lost 0.8 ms in all, which calls for a pause of 160 ms.
    (0..700).for_each(|_| model.add(&of(Pool::Serial, 1.0)));
    assert!(!is_due(&model));
    (0..200).for_each(|_| model.add(&of(Pool::Serial, 1.0)));
    assert_eq!(attempt(&mut model), [true, true, true, true, true, false]);
    (0..1_800).for_each(|_| model.add(&of(Pool::Serial, 1.0)));
    model.add(&slow_start);
    model.add(&quick_start);
    assert!(is_due(&model), "they may be recommended only after some more");
    let goes_on = [0; 6].map(|_| {
        model.add(&of(Pool::Serial, 1.0));
        is_due(&model)
    });
    assert_eq!(goes_on, [true, true, true, true, true, false], "the first items of these runs spoke against it");
}

#[test]
fn the_first_cheap_items_of_a_run_do_not_contradict_what_threads_say_of_all() {
    let run = [
        Sample { items: 500, length: 100_000, ..sample(Pool::Serial, 1, 5e-6, 1.0) },
        Sample { items: 99_500, length: 100_000, ..sample(Pool::Cpu, 8, 20e-6, 7.0) },
    ];
    let options = Options::default();
    let forecast = model([run.clone(), run].concat()).forecast(&query(&options)).unwrap();
    assert!((15e-6..25e-6).contains(&forecast.costs.item) && forecast.pool == Pool::Cpu, "{forecast:?}");
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
fn an_unrelated_item_time_gets_little_confidence() {
    let long = Options { estimated_item_time: Some(Duration::from_millis(500)), ..Options::default() };
    let forecast = good(20, 10e-6).forecast(&query(&long)).unwrap();
    assert!(forecast.confidence < 0.5, "{forecast:?}");
    assert!((forecast.costs.item - 0.5).abs() < 1e-9);
    let known = Options::default();
    assert!(good(20, 10e-6).forecast(&query(&known)).unwrap().confidence > 0.7);
}

#[test]
fn what_is_further_away_is_believed_less() {
    let (options, model) = (Options::default(), good(10, 20e-6));
    let own = query(&options);
    let confidence = |query: Query<'_>| model.forecast(&query).unwrap().confidence;
    let nearest = confidence(own);
    for other in [
        Query { items: Some(1_000_000), ..own },
        Query { body: 9, ..own },
        Query { build: 9, ..own },
        Query { call_site: 9, ..own },
        Query { machine: 9, similarity: &|_| 0.9, ..own },
    ] {
        assert!(confidence(other) < nearest, "{other:?}");
    }
}

#[test]
fn a_machine_unlike_this_one_teaches_nothing() {
    let (options, model) = (Options::default(), good(10, 20e-6));
    let own = query(&options);
    assert_eq!(model.forecast(&Query { machine: 9, similarity: &|_| 0.79, ..own }), None);
    assert!(model.forecast(&Query { machine: 9, similarity: &|_| 0.8, ..own }).is_some());
}

#[test]
fn a_plan_of_a_larger_machine_is_recomputed_for_this_one() {
    let options = Options::default();
    let model = model((0..5).map(|_| sample(Pool::Cpu, 64, 1e-3, 60.0)));
    let forecast = model.forecast(&Query { machine: 9, similarity: &|_| 0.85, ..query(&options) }).unwrap();
    assert_eq!(forecast.threads, 8);
}

#[test]
fn a_function_that_became_ten_times_slower_is_forgotten_within_three_runs() {
    let options = Options::default();
    let mut model = good(100, 10e-6);
    for _ in 0..3 {
        model.add(&sample(Pool::Cpu, 8, 100e-6, 7.5));
    }
    let item = model.forecast(&query(&options)).unwrap().costs.item;
    assert!((90e-6..110e-6).contains(&item), "{item}");
}

#[test]
fn runs_of_the_plain_loop_do_not_hide_that_all_later_ones_on_threads_took_far_longer() {
    let options = Options::default();
    let item_after = |later: &[(Pool, u32)]| {
        let old = (0..20).map(|run| match run % 4 {
            0 => sample(Pool::Serial, 1, 50e-6, 1.0),
            _ => sample(Pool::Cpu, 2, 50e-6, 1.9),
        });
        let gain = |pool| if pool == Pool::Serial { 1.0 } else { 1.9 };
        let new = later.iter().map(|&(pool, threads)| sample(pool, threads, 500e-6, gain(pool)));
        model(old.chain(new)).forecast(&query(&options)).unwrap().costs.item
    };
    let (threads, alone) = ((Pool::Cpu, 2), (Pool::Serial, 1));
    for later in [[threads, threads, threads], [threads, threads, alone], [alone, threads, threads]] {
        let item = item_after(&later);
        assert!((400e-6..600e-6).contains(&item), "{item} after {later:?}");
    }
    let item = item_after(&[threads, threads]);
    assert!(item < 60e-6, "they may have been in each other's way: {item}");
}

#[test]
fn one_disturbed_run_is_not_believed() {
    let options = Options::default();
    let mut model = good(10, 10e-6);
    model.add(&sample(Pool::Cpu, 8, 100e-6, 7.5));
    let item = model.forecast(&query(&options)).unwrap().costs.item;
    assert!((9e-6..11e-6).contains(&item), "{item}");
}

#[test]
fn the_threshold_decides_whether_there_is_a_prediction() {
    let (model, options) = (good(10, 20e-6), Options::default());
    assert!(model.predict(&query(&options), 0.0).is_some());
    assert!(model.predict(&query(&options), 1.0).is_none());
}

#[test]
fn predictions_that_went_wrong_cost_confidence() {
    let options = Options::default();
    let wrong = |sample: Sample| {
        let end_to_end = sample.end_to_end * 4.0;
        Sample { predicted: Some(Predicted { confidence: 0.9, item_time: 1e-6, end_to_end }), ..sample }
    };
    let disproved = model((0..10).map(|_| wrong(sample(Pool::Cpu, 8, 20e-6, 7.5))));
    let confidence = |model: &Model| model.forecast(&query(&options)).unwrap().confidence;
    assert!(confidence(&disproved) < 0.9 * confidence(&good(10, 20e-6)));
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
fn absurd_samples_teach_nothing() {
    let good = sample(Pool::Cpu, 8, 1e-5, 7.5);
    let absurd = [
        Sample { end_to_end: f32::NAN, ..good.clone() },
        Sample { end_to_end: 0.0, ..good.clone() },
        Sample { speedup: 0.0, ..good.clone() },
        Sample { speedup: f32::INFINITY, ..good.clone() },
        Sample { costs: Costs { item: f64::NAN, ..good.costs }, ..good.clone() },
    ];
    assert_eq!(model(absurd).len(), 0);
}

#[test]
fn reasons_are_sentences() {
    let options = Options::default();
    let reason = good(3, 50e-6).forecast(&query(&options)).unwrap().plan().reason().to_owned();
    assert_eq!(reason, "3 earlier runs say items take 50.0µs, and that 8 threads do well");
}
