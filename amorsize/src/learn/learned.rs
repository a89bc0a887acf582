//! A function's history in memory: its samples, and the model that predictions are made with. Holds no file.

use std::sync::Mutex;

use crate::constants::MIN_SAMPLES;
use crate::learn::contents::Contents;
use crate::learn::machines;
use crate::learn::predict::{Asked, Forecast, Model, Query};
use crate::learn::prune;
use crate::learn::sample::Sample;
use crate::plan::Pool;
use crate::sync::{lock, try_lock};

/// A function's samples and what follows from them; always of the same samples.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    contents: Contents,
    model: Model,
    last: Mutex<Option<Last>>,
}

/// The last question, and its answer until something is learned: many short runs ask the same again and again.
#[derive(Debug)]
struct Last {
    asked: Asked,
    answer: Option<Option<Forecast>>,
}

impl Clone for Learned {
    fn clone(&self) -> Self {
        // Who is answering it has no time for that, and whoever copies this may be waited for.
        let asked = try_lock(&self.last).and_then(|last| Some(last.as_ref()?.asked.clone()));
        let last = asked.map(|asked| Last { asked, answer: None });
        Self { contents: self.contents.clone(), model: self.model.clone(), last: Mutex::new(last) }
    }
}

impl From<Contents> for Learned {
    fn from(contents: Contents) -> Self {
        // To learn from all would take a long history milliseconds, and who loads it may be about to begin a short run.
        let model = Model::from_samples(&prune::telling(&contents.samples));
        Self { model, contents, last: Mutex::default() }
    }
}

impl Learned {
    /// The samples, oldest first.
    pub(crate) fn samples(&self) -> &[Sample] {
        &self.contents.samples
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// What [`Model::forecast`] says.
    pub(crate) fn forecast(&self, query: &Query<'_>) -> Option<Forecast> {
        // Whoever finds somebody else here does not wait.
        let Some(mut last) = try_lock(&self.last) else { return self.model.forecast(query) };
        let asked = Asked::from(query);
        let known = last.as_ref().filter(|last| last.asked == asked).and_then(|last| last.answer.clone());
        known.unwrap_or_else(|| {
            let forecast = self.model.forecast(query);
            *last = Some(Last { asked, answer: self.lasting(query, &forecast) });
            forecast
        })
    }

    /// An answer, if the same question has the same one until something is learned.
    fn lasting(&self, query: &Query<'_>, answer: &Option<Forecast>) -> Option<Option<Forecast>> {
        let may_attempt =
            |answer: &Forecast| answer.pool == Pool::Serial && self.model.is_neglected(query, &answer.costs);
        (!answer.as_ref().is_some_and(may_attempt)).then(|| answer.clone())
    }

    /// Answers the last question again if something was learned since, for whoever asks it next.
    pub(crate) fn foresee(&self) {
        let Some(mut last) = try_lock(&self.last) else { return };
        let Some(Last { asked, answer: answer @ None }) = &mut *last else { return };
        let similarity = |machine| self.similarity(machine);
        let query = asked.query(&similarity);
        *answer = self.lasting(&query, &self.model.forecast(&query));
    }

    /// What this machine's samples are filed under here.
    pub(crate) fn this_machine(&self) -> u64 {
        machines::id_among(&self.contents.machines)
    }

    /// Whether there are enough samples to predict anything.
    pub(crate) fn is_enough(&self) -> bool {
        self.model.len() >= MIN_SAMPLES
    }

    /// How much the machine of a sample resembles this one, 0..=1; 0 if it is unknown.
    pub(crate) fn similarity(&self, machine: u64) -> f64 {
        self.contents.machine(machine).map_or(0.0, machines::similarity)
    }

    pub(crate) fn add(&mut self, samples: Vec<Sample>) {
        self.outdate();
        samples.iter().for_each(|sample| self.model.add(sample));
        self.contents.samples.extend(samples);
    }

    pub(crate) fn is_crowded(&self) -> bool {
        self.contents.is_crowded()
    }

    /// Drops redundant samples, if there are too many. Takes a while: all is learned anew.
    pub(crate) fn prune_if_crowded(&mut self) {
        if self.is_crowded() {
            self.contents.prune_if_crowded();
            self.model = Model::from_samples(&self.contents.samples);
            self.outdate();
        }
    }

    /// Drops the last answer, which may be wrong by now.
    fn outdate(&self) {
        if let Some(last) = lock(&self.last).as_mut() {
            last.answer = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::predict::tests::{query, sample};
    use crate::options::Options;
    use crate::plan::Pool;

    #[test]
    fn of_a_long_history_what_tells_something_is_learned() {
        let cheap = Sample { length: 1 << 20, ..sample(Pool::Serial, 1, 1e-9, 1.0) };
        let usual = sample(Pool::Cpu, 2, 50e-6, 1.9);
        let samples = [vec![cheap; 3], vec![usual.clone(); 1_500]].concat();
        let learned = Learned::from(Contents { samples: samples.clone(), ..Contents::default() });
        assert_eq!(learned.samples(), samples, "and all is shown");
        let model = |usual_ones| Model::from_samples(&[&samples[..3], &vec![usual.clone(); usual_ones]].concat());
        let options = Options::default();
        let of =
            |model: &Model| [3, 1 << 20].map(|items| model.forecast(&Query { items: Some(items), ..query(&options) }));
        assert_eq!(of(learned.model()), of(&model(prune::KEPT_SAMPLES - 3)));
    }

    #[test]
    fn what_is_asked_again_has_the_same_answer_until_something_is_learned() {
        let mut learned = Learned::default();
        learned.add(vec![sample(Pool::Cpu, 2, 50e-6, 1.9); 3]);
        let options = Options::default();
        let pinned = Options { threads: std::num::NonZeroUsize::new(1), ..Options::default() };
        let is_right = |learned: &Learned, query: &Query<'_>| learned.forecast(query) == learned.model.forecast(query);
        let short = Query { items: Some(3), ..query(&options) };
        for query in [query(&options), query(&options), short, query(&pinned), query(&options)] {
            assert!(is_right(&learned, &query), "{query:?}");
        }
        learned.add(vec![sample(Pool::Serial, 1, 50e-9, 1.0); 3]);
        assert!(is_right(&learned, &query(&options)));
        assert!(is_right(&learned.clone(), &query(&options)));
    }

    #[test]
    fn what_was_asked_last_is_answered_before_it_is_asked_again() {
        let mut learned = Learned::default();
        let options = Options::default();
        learned.foresee();
        learned.add(vec![sample(Pool::Cpu, 2, 50e-6, 1.9); 3]);
        let before = learned.forecast(&query(&options));
        learned.add(vec![sample(Pool::Serial, 1, 50e-9, 1.0); 9]);
        for learned in [&learned, &learned.clone()] {
            learned.foresee();
            let answer = lock(&learned.last).as_ref().and_then(|last| last.answer.clone());
            assert_eq!(answer, Some(learned.model.forecast(&query(&options))));
            assert_ne!(answer, Some(before.clone()));
            assert_eq!(answer, Some(learned.forecast(&query(&options))));
        }
    }
}
