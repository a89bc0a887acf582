//! What is kept stays small: records, histories, and the directory.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{Place, sample};
use crate::learn::codec;
use crate::learn::machines;
use crate::learn::prune::{self, KEPT_SAMPLES, MOST_SAMPLES};
use crate::learn::sample::Sample;
use crate::learn::tidy;

#[test]
fn a_sample_takes_at_most_100_bytes() {
    let mut frames = Vec::new();
    codec::add_sample(&mut frames, &sample(0));
    assert!(frames.len() <= 100, "{} bytes", frames.len());
}

#[test]
fn a_sample_is_read_as_it_was_recorded() {
    assert_eq!(codec::rounded(&sample(0)).unwrap(), sample(0));
}

#[test]
fn a_long_history_is_shortened_once_it_is_crowded() {
    let place = Place::new();
    let crowded = (0..).find(|&n| place.add(n * 64..(n + 1) * 64).crowded).unwrap() as usize * 64;
    assert!((1600..=MOST_SAMPLES).contains(&crowded), "crowded at {crowded}");
    place.store.prune(&place.name).unwrap();
    let newest = crowded as u64 + 64 - KEPT_SAMPLES as u64;
    assert_eq!(place.times(), (newest..crowded as u64 + 64).collect::<Vec<_>>());
    assert!(!place.add(0..1).crowded);
    assert!(fs::metadata(place.file()).unwrap().len() < 64 << 10);
}

#[test]
fn a_history_that_nobody_comes_to_shorten_does_not_grow_without_end() {
    let place = Place::new();
    let mut longest = 0;
    for round in 0..200 {
        place.add(round * 64..(round + 1) * 64);
        longest = longest.max(fs::metadata(place.file()).unwrap().len());
    }
    assert!((256 << 10..=384 << 10).contains(&longest), "{longest} bytes");
    let loaded = place.load();
    assert!(loaded.warning.is_none() && loaded.contents.machines == [machines::this().clone()]);
    assert_eq!(place.times().last(), Some(&(200 * 64 - 1)));
    assert!(place.times().len() >= KEPT_SAMPLES && !place.aside().exists());
}

#[test]
fn a_long_history_that_is_damaged_is_mended_and_shortened() {
    let place = Place::with(0..MOST_SAMPLES as u64 + 100);
    let mut bytes = fs::read(place.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(place.file(), &bytes).unwrap();
    assert!(place.store.prune(&place.name).unwrap().is_some(), "what was wrong is told");
    assert!(place.load().warning.is_none() && place.aside().exists());
    assert_eq!(place.times().len(), KEPT_SAMPLES);
}

#[test]
fn pruning_keeps_what_is_rare() {
    let rare = Sample { threads: 8, ..sample(0) };
    let mut samples = vec![rare.clone()];
    samples.extend((1..=3000).map(sample));
    prune::prune(&mut samples);
    assert_eq!(samples.len(), KEPT_SAMPLES);
    assert_eq!(samples[0], rare);
    assert_eq!(samples[1], sample(3000 - 510));
    assert_eq!(samples[511], sample(3000));
}

#[test]
fn the_directory_keeps_4096_histories_and_a_few_damaged_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = |ending| (0..4100).map(move |n| format!("{n:016x}.{ending}"));
    files("history").chain(files("damaged").take(20)).for_each(|name| {
        fs::write(directory.path().join(name), "").unwrap();
    });
    let [unfinished, abandoned] =
        [".amorsize-123-0.new", ".amorsize-123-1.new"].map(|name| directory.path().join(name));
    let others =
        (0..20).map(|n| format!("{n}.damaged")).chain(["lock", "precious.new", "world.history"].map(String::from));
    let others: Vec<_> = others.map(|name| directory.path().join(name)).collect();
    others.iter().chain([&unfinished, &abandoned]).for_each(|path| fs::write(path, "").unwrap());
    let hours_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    fs::File::options().write(true).open(&abandoned).unwrap().set_modified(hours_ago).unwrap();
    let newer = directory.path().join(format!("{:016x}.history", 0));
    fs::write(&newer, b"amorsize\x02\xfdwho knows").unwrap();
    fs::File::options().write(true).open(&newer).unwrap().set_modified(hours_ago).unwrap();
    tidy::tidy(directory.path());
    assert_eq!(tidy::files(directory.path(), "history").unwrap().len(), 4096 + 1);
    assert!(newer.exists(), "a later release may want it");
    assert_eq!(tidy::files(directory.path(), "damaged").unwrap().len(), 16);
    assert!(unfinished.exists(), "somebody may export into the directory just now");
    assert!(!abandoned.exists());
    assert!(others.iter().all(|path| path.exists()), "what is not ours is left alone");
    assert!(tidy::files(&abandoned, "history").is_err(), "not the same as none");
}
