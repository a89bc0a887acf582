//! When threads are predicted that nobody has tried, or that did badly before.

use super::*;

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
fn bodies_that_take_turns_are_neglected_each_for_itself() {
    let of = |body| Sample { body, items: 1_000, length: 1_000, ..sample(Pool::Serial, 1, 10e-6, 1.0) };
    let mut model = model(vec![]);
    let is_due =
        |model: &Model, body| model.is_neglected(&Query { body, ..query(&Options::default()) }, &Costs::default());
    // 10 ms each.
    (0..200).for_each(|run| model.add(&of(run % 2)));
    assert!(is_due(&model, 0) && is_due(&model, 1) && !is_due(&model, 2));
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
fn an_attempt_goes_on_with_threads_that_were_slow_to_begin_and_not_with_those_in_each_others_way() {
    let options = Options::default();
    let run = |pool, speedup, item| {
        let mut run = Sample { items: 20, length: 20, ..sample(pool, 2, 10e-6, speedup) };
        run.costs.item = item;
        run
    };
    let goes_on = |item| {
        let mut model = model(vec![run(Pool::Serial, 1.0, 10e-6); 4]);
        model.add(&run(Pool::Cpu, 0.9, item));
        model.is_neglected(&query(&options), &run(Pool::Serial, 1.0, 10e-6).costs)
    };
    assert!(goes_on(11e-6) && !goes_on(17e-6));
}
