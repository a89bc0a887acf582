//! How predictions have done in this process: every function's, from its stored history once that is read, and from
//! every run that ends here.

use std::sync::Mutex;

use super::calibration::Calibration;
use super::sample::Sample;
use crate::sync::lock;

static CALIBRATION: Mutex<Option<Calibration>> = Mutex::new(None);

/// Compares what was predicted with what happened.
pub(crate) fn observe(samples: &[Sample]) {
    if samples.iter().all(|sample| sample.predicted.is_none()) {
        return;
    }
    let mut calibration = lock(&CALIBRATION);
    let calibration = calibration.get_or_insert_default();
    samples.iter().for_each(|sample| calibration.observe(sample));
}

/// How predictions have compared with what happened, over the functions that this process has used, and the confidence
/// that a prediction needs by default.
///
/// ```
/// println!("{}", amorsize::calibration());
/// ```
#[must_use]
pub fn current() -> Calibration {
    lock(&CALIBRATION).unwrap_or_default()
}
