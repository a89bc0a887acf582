//! Files that are not what was written: what is whole is kept, what is wrong is told once.

use std::fs;
use std::io::Write;

use super::{Place, sample};
use crate::decide::costs::Costs;
use crate::error::Error;
use crate::learn::codec;
use crate::learn::header::Name;
use crate::learn::machines;
use crate::learn::sample::Sample;
use crate::plan::Pool;

/// Bytes of the header and of the machine, in front of the samples.
fn front(place: &Place) -> usize {
    place.name.header().len() + machines::frame().len()
}

#[test]
fn a_flipped_byte_costs_its_record_and_is_told_once() {
    let whole = fs::read(Place::with(0..5).file()).unwrap();
    let size = sample_size();
    for at in 0..whole.len() {
        let place = Place::with(0..5);
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(place.file(), &bytes).unwrap();
        let loaded = place.load();
        assert!(loaded.warning.is_some(), "byte {at}");
        let lost = at.checked_sub(front(&place)).map(|behind| (behind / size) as u64);
        let expected: Vec<u64> = match lost {
            None if at < place.name.header().len() => vec![],
            lost => (0..5).filter(|&time| Some(time) != lost).collect(),
        };
        assert_eq!(loaded.contents.samples, expected.iter().map(|&time| sample(time)).collect::<Vec<_>>(), "byte {at}");
        place.add(9..10);
        assert_eq!(place.times(), expected.into_iter().chain([9]).collect::<Vec<_>>(), "byte {at}");
        assert!(place.load().warning.is_none(), "byte {at}: told again");
    }
}

fn sample_size() -> usize {
    let mut frames = Vec::new();
    codec::add_sample(&mut frames, &sample(0));
    frames.len()
}

#[test]
fn every_truncation_leaves_what_is_whole_and_can_be_added_to() {
    let whole = fs::read(Place::with(0..3).file()).unwrap();
    for end in 1..whole.len() {
        let place = Place::with(0..3);
        fs::write(place.file(), &whole[..end]).unwrap();
        let left = end.saturating_sub(front(&place)) / sample_size();
        let expected: Vec<u64> = (0..left as u64).collect();
        assert_eq!(place.times(), expected, "cut at {end}");
        place.add(9..10);
        assert_eq!(place.times(), expected.into_iter().chain([9]).collect::<Vec<_>>(), "cut at {end}");
        assert!(place.load().warning.is_none(), "cut at {end}: told again");
    }
}

#[test]
fn a_last_record_that_was_cut_short_is_told_and_cut_off() {
    let place = Place::with(0..2);
    let length = fs::metadata(place.file()).unwrap().len();
    fs::OpenOptions::new().append(true).open(place.file()).unwrap().write_all(&[90, 1, 2, 3]).unwrap();
    assert!(matches!(place.load().warning, Some(Error::Damaged { .. })));
    assert!(place.load().warning.is_none(), "told once");
    place.add(2..3);
    assert_eq!(fs::metadata(place.file()).unwrap().len(), length + sample_size() as u64);
    assert!(!place.aside().exists());
}

#[test]
fn a_record_that_another_process_is_adding_is_no_damage() {
    let place = Place::with(0..2);
    let before = fs::metadata(place.file()).unwrap().len() as usize;
    place.add(2..3);
    let whole = fs::read(place.file()).unwrap();
    let lock = fs::File::open(place.file().with_file_name("lock")).unwrap();
    lock.lock().unwrap();
    for end in before + 1..whole.len() {
        fs::write(place.file(), &whole[..end]).unwrap();
        let loaded = place.load();
        assert!(loaded.warning.is_none(), "{end} bytes: {:?}", loaded.warning);
        assert_eq!(loaded.contents.samples, [sample(0), sample(1)]);
        assert_eq!(fs::read(place.file()).unwrap(), whole[..end], "it is the other one's to write");
    }
    fs::write(place.file(), &whole).unwrap();
    drop(lock);
    assert!(place.load().warning.is_none());
    assert_eq!(place.times(), [0, 1, 2]);
}

#[test]
fn noise_is_set_aside_unread() {
    for bytes in [vec![0x5a; 10 << 20], vec![0; 4096], b"no history".to_vec()] {
        let place = Place::with(0..1);
        fs::write(place.file(), &bytes).unwrap();
        assert!(place.load().contents.samples.is_empty());
        assert_eq!(fs::read(place.aside()).unwrap(), bytes);
        place.add(1..2);
        assert_eq!(place.times(), [1]);
    }
}

/// More than is read, with one machine at its very beginning.
fn endless(place: &Place) -> Vec<u8> {
    let mut bytes = place.name.header().to_vec();
    bytes.extend_from_slice(machines::frame());
    (0..40_000).for_each(|time| codec::add_sample(&mut bytes, &sample(time)));
    assert!(bytes.len() > 3 << 20);
    bytes
}

#[test]
fn of_a_history_that_is_far_too_long_the_last_records_are_kept() {
    for adds_first in [false, true] {
        let place = Place::with(0..1);
        let bytes = endless(&place);
        fs::write(place.file(), &bytes).unwrap();
        if adds_first {
            let told = place.add(40_000..40_001).damage.unwrap().to_string();
            assert!(
                told.contains(&format!("{} bytes long, and 512 of its last records are kept", bytes.len())),
                "{told}"
            );
        }
        let loaded = place.load();
        assert_eq!(loaded.warning.is_none(), adds_first, "told once");
        assert_eq!(loaded.contents.machines, [machines::this().clone()]);
        let last = 39_999 + u64::from(adds_first);
        assert_eq!(place.times(), (39_488..=last).collect::<Vec<_>>());
        assert_eq!(fs::read(place.aside()).unwrap(), bytes, "all of it is there to be looked at");
        assert!(place.load().warning.is_none());
    }
}

#[test]
fn a_later_version_is_left_alone_however_long_it_is() {
    let place = Place::with(0..1);
    let mut bytes = endless(&place);
    bytes[8..10].copy_from_slice(&[2, !2]);
    fs::write(place.file(), &bytes).unwrap();
    assert!(matches!(place.store.load(&place.name), Err(Error::Newer { version: 2, .. })));
    assert_eq!(fs::read(place.file()).unwrap(), bytes);
}

#[test]
fn a_later_version_is_neither_read_nor_touched() {
    let place = Place::with(0..1);
    let bytes = b"amorsize\x02\xfdwho knows";
    fs::write(place.file(), bytes).unwrap();
    assert!(matches!(place.store.load(&place.name), Err(Error::Newer { version: 2, .. })));
    assert!(matches!(place.store.prune(&place.name), Err(Error::Newer { .. })));
    assert!(matches!(place.store.remove(&place.name), Err(Error::Newer { .. })));
    assert!(std::panic::catch_unwind(|| place.add(1..2)).is_err());
    assert_eq!(fs::read(place.file()).unwrap(), bytes);
}

#[test]
fn the_file_of_another_function_is_neither_read_nor_touched() {
    let place = Place::with(0..1);
    let before = fs::read(place.file()).unwrap();
    let other = Name::new(place.name.key, "app::other");
    let error = place.store.load(&other).unwrap_err();
    assert!(error.to_string().contains("app::digest"), "{error}");
    assert!(matches!(place.store.remove(&other), Err(Error::Foreign { .. })));
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn records_that_cannot_be_true_are_refused() {
    let absurd: [fn(&mut crate::learn::sample::Sample); 9] = [
        |sample| sample.threads = 1_000_000_000,
        |sample| sample.threads = 0,
        |sample| sample.costs.item = f64::NAN,
        |sample| sample.costs.item = -1.0,
        |sample| sample.end_to_end = f32::INFINITY,
        |sample| sample.speedup = 0.0,
        |sample| sample.items = sample.length + 1,
        |sample| sample.time = u64::MAX,
        |sample| (sample.items, sample.length) = (u64::MAX, u64::MAX),
    ];
    for spoil in absurd {
        let place = Place::with(0..1);
        let mut spoiled = sample(1);
        spoil(&mut spoiled);
        let mut frames = Vec::new();
        codec::add_sample(&mut frames, &spoiled);
        fs::OpenOptions::new().append(true).open(place.file()).unwrap().write_all(&frames).unwrap();
        assert_eq!(place.load().contents.samples, [sample(0)]);
        assert!(place.aside().exists());
        assert_eq!(place.times(), [0], "what was whole has been kept");
    }
}

#[test]
fn what_only_a_person_is_not_believed_stays_in_files_that_have_it() {
    for odd in
        [Sample { speedup: 3.0, ..sample(0) }, Sample { costs: Costs { item: 0.0, ..sample(0).costs }, ..sample(0) }]
    {
        let place = Place::new();
        let odd = Sample { pool: Pool::Serial, threads: 1, ..odd };
        place.add_samples(std::slice::from_ref(&odd));
        let loaded = place.load();
        assert!(loaded.warning.is_none() && loaded.contents.samples == [odd]);
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io::ErrorKind;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    use super::super::Place;
    use crate::error::Error;
    use crate::learn::store::Store;

    /// Set aside, told, and the next record begins a new file.
    fn is_set_aside(place: &Place) {
        let loaded = place.load();
        assert!(loaded.contents.samples.is_empty() && loaded.warning.is_some());
        assert!(fs::symlink_metadata(place.aside()).is_ok());
        place.add(1..2);
        assert_eq!(place.times(), [1]);
    }

    #[test]
    fn what_is_no_regular_file_is_never_opened() {
        let place = Place::with(0..1);
        fs::remove_file(place.file()).unwrap();
        fs::create_dir(place.file()).unwrap();
        is_set_aside(&place);

        // (Not by a program of its own: until that runs, a forked process holds every lock of this one.)
        #[cfg(not(target_vendor = "apple"))]
        {
            let place = Place::with(0..1);
            fs::remove_file(place.file()).unwrap();
            rustix::fs::mkfifoat(rustix::fs::CWD, place.file(), 0o600.into()).unwrap();
            is_set_aside(&place);
        }

        let place = Place::with(0..1);
        let elsewhere = place.directory.path().join("elsewhere");
        fs::rename(place.file(), &elsewhere).unwrap();
        symlink(&elsewhere, place.file()).unwrap();
        is_set_aside(&place);
        assert!(elsewhere.exists());
    }

    #[test]
    fn what_was_set_aside_is_in_nobodys_way() {
        let directory = |place: &Place| {
            let _ = fs::remove_file(place.file());
            fs::create_dir(place.file()).unwrap();
            fs::write(place.file().join("precious"), "").unwrap();
        };
        let noise = |place: &Place| fs::write(place.file(), "noise").unwrap();
        let kept_after = |damages: [&dyn Fn(&Place); 3]| {
            let place = Place::with(0..1);
            for damage in damages {
                damage(&place);
                is_set_aside(&place);
            }
            directory(&place);
            (0..2).for_each(|_| place.store.remove(&place.name).unwrap());
            assert!(!place.file().exists());
            let there = fs::read_dir(place.file().parent().unwrap()).unwrap().flatten();
            there.filter(|entry| entry.path().join("precious").exists()).count()
        };
        assert_eq!(kept_after([&directory, &directory, &noise]), 3);
        assert_eq!(kept_after([&noise, &directory, &noise]), 2);
    }

    #[test]
    fn what_others_can_write_is_not_believed() {
        let place = Place::with(0..1);
        fs::set_permissions(place.file(), Permissions::from_mode(0o666)).unwrap();
        is_set_aside(&place);

        let place = Place::with(0..1);
        fs::set_permissions(place.file().parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
        let store = Store::new(Some(place.file().parent().unwrap().to_owned()));
        let error = store.load(&place.name).unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }) && error.to_string().contains("mode 777"), "{error}");
    }

    #[test]
    fn a_directory_that_others_can_write_from_now_on_is_not_written_to() {
        let place = Place::with(0..1);
        let cache = place.file().parent().unwrap().to_owned();
        fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(place.store.prune(&place.name), Err(Error::Untrusted { .. })));
    }

    /// (Whoever may read everything finds nothing unusual here.)
    #[test]
    fn what_cannot_be_read_can_be_forgotten() {
        let place = Place::with(0..1);
        fs::set_permissions(place.file(), Permissions::from_mode(0o000)).unwrap();
        place.store.remove(&place.name).unwrap();
        assert!(!place.file().exists());
        place.add(1..2);
        assert_eq!(place.times(), [1]);
    }

    #[test]
    fn only_files_of_others_are_kept_from_removal() {
        let unreadable = Error::io("read", Path::new("a"))(ErrorKind::PermissionDenied.into());
        let (newer, path) = (Error::Newer { path: "a".into(), version: 2 }, "a".into());
        let foreign = Error::Foreign { path, owner: "app::other".into() };
        assert_eq!([unreadable, newer, foreign].map(|error| error.is_of_anothers_file()), [false, true, true]);
    }

    #[test]
    fn directory_and_files_are_for_this_user_only() {
        let place = Place::with(0..1);
        let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(place.file().parent().unwrap().to_owned()), 0o700);
        assert_eq!(mode(place.file()), 0o600);
        assert_eq!(mode(place.file().with_file_name("lock")), 0o600);
    }

    #[test]
    fn a_directory_in_the_way_of_the_directory_or_none_at_all_is_an_error() {
        let place = Place::new();
        fs::write(place.file().parent().unwrap(), "a file").unwrap();
        assert!(matches!(place.store.load(&place.name), Err(Error::Io { .. })));
        assert!(matches!(Store::new(None).load(&place.name), Err(Error::NoCacheDirectory)));
    }
}
