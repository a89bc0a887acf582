//! Export and import: whole, or not at all, and no other file touched.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::{Place, sample};
use crate::error::Error;
use crate::fingerprint::{Identity, Site};
use crate::learn::contents::Contents;
use crate::learn::exchange::{export_from, import_to};
use crate::learn::header;
use crate::learn::machines;
use crate::learn::registry::Registry;
use crate::learn::sample::{MachineRecord, Sample};
use crate::learn::store::Store;

const LONG: Duration = Duration::from_secs(3600);

fn process(place: &Place) -> Registry {
    Registry::new(Store::new(Some(place.directory.path().join("cache"))))
}

fn identity(name: &'static str) -> Identity {
    Identity { site: Site { package: "app", module: "app", name, body: 1 }, types: "", place: None }
}

fn samples(registry: &Registry, name: &'static str) -> Vec<Sample> {
    registry.function(&identity(name)).learned().samples().to_vec()
}

/// A machine with two histories, and the file it exported.
fn exported() -> (Place, PathBuf) {
    let place = Place::new();
    let registry = process(&place);
    registry.function(&identity("one")).record(vec![sample(0), sample(2)], LONG);
    registry.function(&identity("two")).record(vec![sample(1)], LONG);
    let file = place.directory.path().join("export");
    assert_eq!(export_from(&registry, &file).unwrap(), 3);
    (place, file)
}

#[test]
fn what_was_exported_is_imported_once_and_known_at_once() {
    let (_source, file) = exported();
    let place = Place::new();
    let registry = process(&place);
    registry.function(&identity("one")).record(vec![sample(1)], LONG);
    assert_eq!(samples(&registry, "one"), [sample(1)]);
    assert_eq!(import_to(&registry, &file).unwrap(), 3);
    assert_eq!(samples(&registry, "one"), [sample(0), sample(1), sample(2)]);
    assert_eq!(samples(&registry, "two"), [sample(1)]);
    assert_eq!(import_to(&registry, &file).unwrap(), 0, "all of it is here already");
    assert_eq!(samples(&process(&place), "one").len(), 3);
}

#[test]
fn runs_that_are_alike_are_imported_as_often_as_there_are_more_of_them() {
    let (here, there) = (Place::new(), Place::new());
    let file = here.directory.path().join("export");
    let imported = |runs: usize| {
        let registry = process(&here);
        (0..runs).for_each(|_| registry.function(&identity("one")).record(vec![sample(0)], LONG));
        export_from(&registry, &file).unwrap();
        import_to(&process(&there), &file).unwrap()
    };
    assert_eq!([imported(1), imported(2), imported(0)], [1, 2, 0]);
    assert_eq!(samples(&process(&there), "one").len(), 3);
}

#[test]
fn an_imported_history_is_not_taken_for_one_of_this_machine() {
    let here = machines::this();
    let like_this = MachineRecord { id: here.id ^ 1, memory_bytes: here.memory_bytes / 64, ..here.clone() };
    let samples = vec![Sample { machine: like_this.id, ..sample(0) }];
    let imported = Contents { machines: vec![like_this.clone()], samples, ..Contents::default() };
    let place = Place::new();
    assert_eq!(place.store.merge(&place.name, imported).unwrap(), 1);
    let known = place.load().contents.machines;
    assert_eq!(known.len(), 2, "of two of them one has to be looked for: {known:?}");
    assert!(known.contains(here) && known.contains(&like_this));
}

#[test]
fn what_is_dropped_at_once_is_not_counted_as_imported() {
    let (source, place) = (Place::new(), Place::new());
    let file = source.directory.path().join("export");
    let exports = |times: Range<u64>| {
        let registry = process(&source);
        registry.function(&identity("one")).forget().unwrap();
        registry.function(&identity("one")).record(times.map(sample).collect(), LONG);
        assert_eq!(export_from(&registry, &file).unwrap(), 1_000);
    };
    let registry = process(&place);
    for times in [1_000..1_500, 1_500..2_000, 2_000..2_500] {
        registry.function(&identity("one")).record(times.map(sample).collect(), LONG);
    }
    exports(0..1_000);
    for _ in 0..2 {
        assert_eq!(import_to(&registry, &file).unwrap(), 0, "newer ones tell the same");
        assert_eq!(samples(&registry, "one").len(), 1_500);
    }
    exports(3_000..4_000);
    for (new, there) in [(512, 512), (488, 1_000), (0, 1_000)] {
        assert_eq!(import_to(&registry, &file).unwrap(), new);
        assert_eq!(samples(&registry, "one").len(), there);
    }
}

/// One history's file, as a later release might leave it.
const LATER: &[u8] = b"amorsize\x02\xfdwho knows";

fn path_of(place: &Place, name: &'static str) -> PathBuf {
    place.file().with_file_name(format!("{}.history", header::stem(identity(name).key())))
}

#[test]
fn one_history_of_a_later_release_keeps_no_other_from_being_imported() {
    let (_source, file) = exported();
    for (newer, other, expected) in [("one", "two", &[sample(1)][..]), ("two", "one", &[sample(0), sample(2)])] {
        let place = Place::with(0..1);
        fs::write(path_of(&place, newer), LATER).unwrap();
        let registry = process(&place);
        assert!(samples(&registry, other).is_empty());
        let error = import_to(&registry, &file).unwrap_err();
        assert!(matches!(error, Error::Newer { .. }) && error.path() == Some(&path_of(&place, newer)), "{error}");
        assert_eq!(samples(&registry, other), expected, "known at once");
        assert_eq!(samples(&process(&place), other), expected);
        assert_eq!(fs::read(path_of(&place, newer)).unwrap(), LATER);
    }
}

#[test]
fn what_waits_for_a_history_that_is_left_out_keeps_no_export_from_being_written() {
    let (place, file) = exported();
    fs::write(path_of(&place, "two"), LATER).unwrap();
    let registry = process(&place);
    registry.function(&identity("two")).record(vec![sample(3)], LONG);
    assert!(matches!(registry.drain(), Err(Error::Newer { .. })));
    assert_eq!(export_from(&registry, &file).unwrap(), 2);
    assert_eq!(fs::read(path_of(&place, "two")).unwrap(), LATER);
    let other = Place::new();
    assert_eq!(import_to(&process(&other), &file).unwrap(), 2);
}

#[cfg(unix)]
#[test]
fn an_export_replaces_files_and_what_a_link_leads_to_and_nothing_else() {
    let (place, _) = exported();
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("file"), "old").unwrap();
    std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    for name in ["folder", "socket"] {
        let refused = export_from(&process(&place), &path(name)).unwrap_err().to_string();
        assert!(refused.contains("it is not a regular file; check the path"), "{refused}");
    }
    assert_eq!(export_from(&process(&place), &path("link")).unwrap(), 3);
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    assert_eq!(import_to(&process(&Place::new()), &path("file")).unwrap(), 3);
    fs::metadata(path("socket")).unwrap();
}

#[test]
fn an_export_leaves_every_other_file_alone() {
    let (place, _) = exported();
    let folder = tempfile::tempdir().unwrap();
    let others = ["data.new", "data.tmp", "data"].map(|name| folder.path().join(name));
    others.iter().for_each(|other| fs::write(other, "precious").unwrap());
    for name in ["data.bin", "other.new"] {
        assert_eq!(export_from(&process(&place), &folder.path().join(name)).unwrap(), 3);
    }
    assert!(others.iter().all(|other| fs::read(other).unwrap() == b"precious"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn an_export_that_cannot_be_put_there_says_where_and_leaves_nothing() {
    let (place, _) = exported();
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let error = export_from(&process(&place), &taken).unwrap_err().to_string();
    assert!(error.contains(taken.to_str().unwrap()), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for nowhere in ["", "/", ".."] {
        let error = export_from(&process(&place), nowhere.as_ref()).unwrap_err().to_string();
        assert!(error.contains("names no file"), "{error}");
    }
}

#[test]
fn a_damaged_export_is_an_error_and_changes_nothing() {
    let (_source, file) = exported();
    let whole = fs::read(&file).unwrap();
    let place = Place::new();
    let registry = process(&place);
    let flips = (0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        bytes
    });
    let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
    for bytes in flips.chain(cuts) {
        fs::write(&file, &bytes).unwrap();
        let error = import_to(&registry, &file).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }) && error.path() == Some(&file), "{error}");
    }
    assert!(!place.file().parent().unwrap().exists());
}

#[test]
fn an_export_of_a_later_release_is_refused_as_such() {
    let (place, file) = exported();
    fs::write(&file, b"amorsize\x02\xfd").unwrap();
    assert!(matches!(import_to(&process(&place), &file), Err(Error::Newer { version: 2, .. })));
}
