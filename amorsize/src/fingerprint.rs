//! Who a function is, across compilations, runs and machines: what history is filed under. Pure hashing; no file.
//!
//! The *key* (package, module path, name, types) names the history. The *body* tells whether the code is still the one
//! that was measured; another body is weaker evidence, not none. What a closure does is not known, so where in its file
//! it stands takes the place of its body: it may be another one of the same name, or the same after an edit above it.

use std::any::type_name;
use std::panic::Location;

/// What the attribute knows of a function at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// `CARGO_PKG_NAME` of the package that is compiled.
    pub package: &'static str,
    /// `module_path!()` of the function.
    pub module: &'static str,
    /// The function's name.
    pub name: &'static str,
    /// Hash of the function's tokens and the attribute's options, without comments and layout.
    pub body: u64,
}

/// A function as history knows it. Made for every call, so it only points to what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) site: Site,
    /// `type_name` of the instantiation; tells instances of a generic function apart.
    pub(crate) types: &'static str,
    /// Where a closure was given to `Tuner::new`.
    pub(crate) place: Option<&'static Location<'static>>,
}

impl Identity {
    /// A closure given to a tuner where the caller says.
    #[track_caller]
    pub(crate) fn of_closure<F>(name: &'static str) -> Self {
        let place = Location::caller();
        let body = Fnv::new().number(place.line().into()).number(place.column().into()).finish();
        let site = Site { package: "", module: "", name, body };
        Self { site, types: type_name::<F>(), place: Some(place) }
    }

    /// What the history is filed under.
    pub(crate) fn key(&self) -> u64 {
        let site = &self.site;
        let hash = Fnv::new().text(site.package).text(site.module).text(site.name).text(self.types);
        self.file().map_or(hash, |file| hash.text(file)).finish()
    }

    /// Names the function for a person, and tells two functions apart whose keys are the same by chance. (Formatting
    /// would take several times as long, and a short run waits for it.)
    pub(crate) fn label(&self) -> String {
        let Site { package, module, name, .. } = self.site;
        let mut label = [package, " ", module, "::", name, " as ", self.types].concat();
        if let Some(file) = self.file() {
            label.extend([" in ", file]);
        }
        label
    }

    /// Whether both are filed under the same label, whatever their bodies.
    pub(crate) fn is_namesake(&self, other: &Self) -> bool {
        let body = self.site.body;
        self.site == Site { body, ..other.site } && self.types == other.types && self.file() == other.file()
    }

    /// The file in which a closure is.
    fn file(&self) -> Option<&'static str> {
        self.place.map(Location::file)
    }

    /// What tells changed code from unchanged.
    pub(crate) fn body(&self) -> u64 {
        self.site.body
    }
}

/// A place in the source code, as one number of 32 bits: it is stored with every sample, and tells few places apart.
pub(crate) fn call_site(place: &Location<'_>) -> u64 {
    Fnv::new().text(place.file()).number(place.line().into()).number(place.column().into()).short()
}

/// How this program was built, as one number of 32 bits: optimised or not, and for what.
pub(crate) const fn build() -> u64 {
    use std::env::consts::{ARCH, OS};
    const { Fnv::new().text(ARCH).text(OS).number(cfg!(debug_assertions) as u64).short() }
}

/// Fowler–Noll–Vo 1a, 64 bits: fixed for good, unlike std's hasher.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }

    /// Adds a text and its end, so that "ab" + "c" differs from "a" + "bc".
    pub(crate) const fn text(self, text: &str) -> Self {
        let (bytes, mut hash, mut at) = (text.as_bytes(), self, 0);
        while at < bytes.len() {
            hash = hash.byte(bytes[at]);
            at += 1;
        }
        hash.byte(0xff)
    }

    /// Adds a number, little end first whatever the machine.
    pub(crate) const fn number(self, number: u64) -> Self {
        let (bytes, mut hash, mut at) = (number.to_le_bytes(), self, 0);
        while at < bytes.len() {
            hash = hash.byte(bytes[at]);
            at += 1;
        }
        hash
    }

    pub(crate) const fn finish(self) -> u64 {
        self.0
    }

    /// The hash in 32 bits, for what must not take much space and tells little apart.
    pub(crate) const fn short(self) -> u64 {
        (self.0 >> 32) ^ (self.0 & 0xffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Site = Site { package: "app", module: "app::hash", name: "digest", body: 7 };

    #[test]
    fn keys_are_the_same_for_ever() {
        let identity = Identity { site: SITE, types: "u8", place: None };
        assert_eq!(identity.key(), 2_835_250_432_927_323_912);
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Fnv::new().byte(b'a').finish(), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn labels_say_all_that_keys_are_made_of() {
        let here = Location::caller();
        let identity = Identity { site: SITE, types: "u8", place: Some(here) };
        assert_eq!(identity.label(), format!("app app::hash::digest as u8 in {}", here.file()));
        assert_eq!(Identity { place: None, ..identity }.label(), "app app::hash::digest as u8");
    }

    #[test]
    fn closures_of_one_name_and_file_share_a_history_and_differ_in_their_bodies() {
        let one = Identity::of_closure::<u8>("parse");
        let other = Identity::of_closure::<u8>("parse");
        assert!(one.key() == other.key() && one.label() == other.label() && one.is_namesake(&other));
        assert_ne!(one.body(), other.body());
        assert_ne!(one.key(), Identity::of_closure::<u8>("print").key());
    }

    #[test]
    fn types_and_places_tell_apart_and_bodies_do_not() {
        let one = Identity { site: SITE, types: "u8", place: None };
        assert_ne!(one.key(), Identity { types: "u16", ..one }.key());
        assert_ne!(one.key(), Identity { place: Some(Location::caller()), ..one }.key());
        let changed = Identity { site: Site { body: 8, ..SITE }, ..one };
        assert_eq!(one.key(), changed.key());
        assert!(one.is_namesake(&changed) && !one.is_namesake(&Identity { types: "u16", ..one }));
    }
}
