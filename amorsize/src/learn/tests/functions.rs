//! A function's history on its way from memory to disk, and back in another process.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::{Place, sample};
use crate::error::Error;
use crate::fingerprint::{Identity, Site};
use crate::learn::function::Function;
use crate::learn::machines::{self, NOT_YET_KNOWN};
use crate::learn::prune::MOST_SAMPLES;
use crate::learn::registry::Registry;
use crate::learn::sample::Sample;
use crate::learn::store::Store;
use crate::plan::Pool;

/// Long enough to be written at once, however slow the disk.
const LONG: Duration = Duration::from_secs(3600);

const DIGEST: Identity =
    Identity { site: Site { package: "app", module: "app", name: "digest", body: 1 }, types: "", place: None };

/// A process of its own, as far as the store is concerned.
fn process(place: &Place) -> Registry {
    Registry::new(Store::new(Some(place.directory.path().join("cache"))))
}

fn samples(function: &Function) -> Vec<Sample> {
    function.learned().samples().to_vec()
}

#[test]
fn what_was_recorded_before_the_machine_was_known_is_filed_under_it() {
    let place = Place::new();
    let function = process(&place).function(&DIGEST);
    function.record(vec![Sample { machine: NOT_YET_KNOWN, ..sample(0) }], LONG);
    let expected = [Sample { machine: machines::this().id, ..sample(0) }];
    assert_eq!(samples(&function), expected);
    assert_eq!(process(&place).function(&DIGEST).refreshed().unwrap().samples(), expected);
}

#[test]
fn what_is_recorded_is_known_here_at_once_and_elsewhere_when_asked_next() {
    let place = Place::new();
    let (here, there) = (process(&place), process(&place));
    here.function(&DIGEST).record(vec![sample(0), sample(1)], LONG);
    assert_eq!(samples(&here.function(&DIGEST)), [sample(0), sample(1)]);
    assert_eq!(samples(&there.function(&DIGEST)), [sample(0), sample(1)]);
    here.function(&DIGEST).record(vec![sample(2)], LONG);
    assert_eq!(samples(&there.function(&DIGEST)), [sample(0), sample(1)], "read once");
    assert_eq!(there.function(&DIGEST).refreshed().unwrap().samples(), [sample(0), sample(1), sample(2)]);
}

#[test]
fn what_is_recorded_before_the_history_is_read_is_there_once() {
    let place = Place::new();
    process(&place).function(&DIGEST).record(vec![sample(0)], LONG);
    let here = process(&place).function(&DIGEST);
    here.record(vec![sample(1)], LONG);
    here.record(vec![sample(2)], LONG);
    assert_eq!(samples(&here), [sample(0), sample(1), sample(2)]);
}

#[test]
fn one_identity_is_one_function_wherever_its_texts_are() {
    let place = Place::new();
    let registry = process(&place);
    let name: &'static str = String::from("digest").leak();
    let copy = Identity { site: Site { name, ..DIGEST.site }, ..DIGEST };
    assert!(Arc::ptr_eq(&registry.function(&DIGEST), &registry.function(&copy)));
    let other = Identity { types: "u8", ..DIGEST };
    assert!(!Arc::ptr_eq(&registry.function(&DIGEST), &registry.function(&other)));
    assert_eq!(registry.all().len(), 2);
}

#[test]
fn runs_that_all_had_threads_leave_the_plain_loop_unknown() {
    let place = Place::new();
    let function = process(&place).function(&DIGEST);
    let Sample { body, build, .. } = sample(0);
    assert_eq!(function.threads_only(body, build), None, "nothing was read");
    function.learned();
    assert_eq!(function.threads_only(body, build), None, "no run");
    function.record(vec![sample(0), sample(1)], LONG);
    assert_eq!(function.threads_only(body, build), Some((sample(1), 2)));
    assert_eq!(function.threads_only(body + 1, build), None, "another body");
    function.record(vec![Sample { pool: Pool::Serial, ..sample(2) }], LONG);
    assert_eq!(function.threads_only(body, build), None);
}

#[test]
fn forgotten_is_forgotten_and_learning_goes_on() {
    let place = Place::new();
    let (here, there) = (process(&place).function(&DIGEST), process(&place).function(&DIGEST));
    here.record(vec![sample(0)], LONG);
    there.record(vec![sample(1)], LONG);
    here.forget().unwrap();
    assert!(samples(&here).is_empty());
    assert!(here.refreshed().unwrap().samples().is_empty());
    there.record(vec![sample(2)], LONG);
    assert_eq!(here.refreshed().unwrap().samples(), [sample(2)]);
    assert_eq!(here.learned().similarity(sample(2).machine), 1.0, "the new file says what machine it was");
}

#[test]
fn without_a_directory_it_learns_in_memory() {
    let registry = Registry::new(Store::new(None));
    let function = registry.function(&DIGEST);
    function.record(vec![sample(0)], LONG);
    assert_eq!(samples(&function), [sample(0)]);
    assert!(matches!(registry.drain(), Err(Error::NoCacheDirectory)));
    assert!(matches!(function.refreshed(), Err(Error::NoCacheDirectory)));
    assert_eq!(samples(&function), [sample(0)]);
}

#[test]
fn a_directory_that_comes_back_gets_what_was_recorded_meanwhile() {
    let place = Place::new();
    let cache = place.directory.path().join("cache");
    fs::write(&cache, "in the way").unwrap();
    let registry = process(&place);
    let function = registry.function(&DIGEST);
    (0..5).for_each(|time| function.record(vec![sample(time)], LONG));
    assert!(registry.drain().is_err());
    fs::remove_file(&cache).unwrap();
    registry.drain().unwrap();
    assert_eq!(samples(&process(&place).function(&DIGEST)).len(), 5);
}

#[test]
fn a_disk_that_never_comes_back_costs_bounded_memory() {
    let function = Registry::new(Store::new(None)).function(&DIGEST);
    (0..3000).for_each(|time| function.record(vec![sample(time)], LONG));
    assert!(function.queued() < 257 << 10, "{} bytes wait", function.queued());
}

#[test]
fn what_comes_faster_than_it_is_written_is_written_even_so() {
    const RUNS: u64 = 1_000;
    let place = Place::new();
    let registry = process(&place);
    let function = registry.function(&DIGEST);
    function.record(vec![sample(0)], LONG);
    let lock = fs::File::open(place.directory.path().join("cache").join("lock")).unwrap();
    lock.lock().unwrap();
    (1..RUNS).for_each(|time| function.record(vec![sample(time)], Duration::from_micros(1)));
    lock.unlock().unwrap();
    registry.drain().unwrap();
    assert_eq!(samples(&process(&place).function(&DIGEST)).len() as u64, RUNS);
}

#[test]
fn what_is_said_to_be_on_disk_is_there_however_much_waited_before() {
    let place = Place::new();
    let cache = place.directory.path().join("cache");
    fs::write(&cache, "in the way").unwrap();
    let function = process(&place).function(&DIGEST);
    assert!((0..4_000).all(|time| function.record_now(&sample(time)).is_err()));
    let kept = function.learned().samples().len();
    assert!(kept <= MOST_SAMPLES + 1, "{kept} in memory");
    fs::remove_file(&cache).unwrap();
    function.record_now(&sample(5_000)).unwrap();
    assert_eq!(samples(&process(&place).function(&DIGEST)).last(), Some(&sample(5_000)));
}

#[test]
fn short_runs_that_start_no_thread_wait_for_others_no_longer_than_for_the_first_that_comes_later() {
    let place = Place::new();
    let function = process(&place).function(&DIGEST);
    [0, 2].into_iter().for_each(|time| function.record_here(vec![sample(time)], Duration::from_micros(1)));
    assert_eq!(samples(&process(&place).function(&DIGEST)), [sample(0), sample(2)]);
}

#[test]
fn a_process_that_was_forked_leaves_to_its_parent_what_that_has_recorded() {
    let place = Place::new();
    let function = process(&place).function(&DIGEST);
    let written = || samples(&process(&place).function(&DIGEST));
    function.record_here(vec![sample(0)], Duration::from_micros(1));
    function.pretend_to_be_forked();
    assert!(function.is_left_to_parent());
    function.drain().unwrap();
    assert_eq!(written(), []);
    function.record_here(vec![sample(1)], Duration::from_micros(1));
    function.drain().unwrap();
    assert_eq!(written(), [sample(1)]);
}

#[test]
fn memory_is_bounded_too() {
    let place = Place::new();
    let function = process(&place).function(&DIGEST);
    for round in 0..4 {
        let times = round * 800..(round + 1) * 800;
        function.record(times.map(sample).collect(), LONG);
        function.drain().unwrap();
    }
    let samples = samples(&function);
    assert!(samples.len() <= MOST_SAMPLES, "{} samples", samples.len());
    assert_eq!(samples.last(), Some(&sample(3199)));
}

#[test]
fn where_nothing_can_be_written_memory_does_not_grow_without_end() {
    const THREADS: u64 = 4;
    let function = Registry::new(Store::new(None)).function(&DIGEST);
    let record = |from: u64| (from..from + MOST_SAMPLES as u64).for_each(|at| function.record(vec![sample(at)], LONG));
    std::thread::scope(|scope| {
        (0..THREADS).for_each(|thread| _ = scope.spawn(move || record(thread * MOST_SAMPLES as u64)));
    });
    function.record(vec![sample(0)], LONG);
    let kept = function.learned().samples().len();
    assert!((1..=MOST_SAMPLES + 1).contains(&kept), "{kept}");
    assert!(function.queued() <= 272 << 10);
}
