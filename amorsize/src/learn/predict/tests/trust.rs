//! Which outcomes are believed, and what confidence that gives.

use super::*;
use crate::constants::CONFIDENCE_THRESHOLD;

#[test]
fn two_samples_are_too_few_and_three_are_enough() {
    let options = Options::default();
    assert_eq!(good(2, 50e-6).forecast(&query(&options)), None);
    let forecast = good(3, 50e-6).predict(&query(&options), 0.7).unwrap();
    assert_eq!((forecast.pool, forecast.threads, forecast.samples), (Pool::Cpu, 8, 3));
    assert!((forecast.expected_speedup - 7.5).abs() < 0.5, "{forecast:?}");
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
    let elsewhere = confidence(Query { body: 9, call_site: 9, ..own });
    assert!(elsewhere < CONFIDENCE_THRESHOLD, "perhaps another closure of that name: {elsewhere}");
}

#[test]
fn a_machine_unlike_this_one_teaches_nothing() {
    let (options, model) = (Options::default(), good(10, 20e-6));
    let own = query(&options);
    assert_eq!(model.forecast(&Query { machine: 9, similarity: &|_| 0.79, ..own }), None);
    assert!(model.forecast(&Query { machine: 9, similarity: &|_| 0.8, ..own }).is_some());
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
