//! How much threads slow each other down: a law of their number, fitted to what plans achieved. Contention and
//! coherence, after Gunther's universal scalability law.

/// Weak prior of a law: where outcomes leave open why threads slow each other down, they more often contend than
/// disturb each other.
const PRIOR_CONTENTION: f64 = 0.02;
const PRIOR_COHERENCE: f64 = 0.05;
/// Relative error up to which a simpler law explains the outcomes as well.
const PLAUSIBLE: f64 = 0.05;

/// A slow-down that was observed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    pub(super) threads: u32,
    pub(super) weight: f64,
    /// How many times as long items took as with one thread.
    pub(super) slowdown: f64,
}

/// How many times a thread is slowed down by the others: `1 + contention (n − 1) + coherence n (n − 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Law {
    contention: f64,
    coherence: f64,
}

impl Law {
    fn slowdown(self, threads: usize) -> f64 {
        let n = threads as f64;
        1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0)
    }
}

/// The likely law, and the simpler ones that outcomes do not rule out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Laws {
    likely: Law,
    others: [Option<Law>; 2],
}

impl Laws {
    /// The laws that fit what was observed.
    pub(super) fn fit(observed: impl Iterator<Item = Observed>) -> Self {
        let mut squares = Squares::default();
        observed.for_each(|observed| squares.add(observed));
        if squares.xx <= 0.0 {
            return Self::default();
        }
        let likely = squares.likely();
        let bound = squares.error(likely) + PLAUSIBLE * PLAUSIBLE;
        let plausible = |law: Law| (squares.error(law) <= bound).then_some(law);
        Self { likely, others: [plausible(squares.only_contention()), plausible(squares.only_coherence())] }
    }

    /// The likely slow-down.
    pub(super) fn slowdown(&self, threads: usize) -> f64 {
        self.likely.slowdown(threads)
    }

    /// The smallest slow-down that is not ruled out.
    pub(super) fn hoped(&self, threads: usize) -> f64 {
        let others = self.others.iter().flatten().map(|law| law.slowdown(threads));
        others.fold(self.slowdown(threads), f64::min)
    }
}

/// Sums for least squares of the slow-downs, each relative to itself.
#[derive(Clone, Copy, Debug, Default)]
struct Squares {
    weight: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    xg: f64,
    yg: f64,
    gg: f64,
}

impl Squares {
    fn add(&mut self, Observed { threads, weight, slowdown }: Observed) {
        let n = f64::from(threads);
        let relative = weight / (slowdown * slowdown);
        let (x, y, g) = (n - 1.0, n * (n - 1.0), slowdown - 1.0);
        self.weight += weight;
        self.xx += relative * x * x;
        self.xy += relative * x * y;
        self.yy += relative * y * y;
        self.xg += relative * x * g;
        self.yg += relative * y * g;
        self.gg += relative * g * g;
    }

    /// The likely law: a weak prior shares out what the outcomes leave open between contention and coherence.
    fn likely(&self) -> Law {
        let (xx, yy) = (self.xx * (1.0 + PRIOR_CONTENTION), self.yy * (1.0 + PRIOR_COHERENCE));
        let determinant = xx * yy - self.xy * self.xy;
        let contention = (self.xg * yy - self.yg * self.xy) / determinant;
        let coherence = (self.yg * xx - self.xg * self.xy) / determinant;
        if contention < 0.0 {
            self.only_coherence()
        } else if coherence < 0.0 {
            self.only_contention()
        } else {
            Law { contention, coherence }
        }
    }

    fn only_contention(&self) -> Law {
        Law { contention: (self.xg / self.xx).max(0.0), coherence: 0.0 }
    }

    fn only_coherence(&self) -> Law {
        Law { contention: 0.0, coherence: (self.yg / self.yy).max(0.0) }
    }

    /// Mean square of a law's relative errors.
    fn error(&self, law: Law) -> f64 {
        let Law { contention: a, coherence: b } = law;
        let explained = a * a * self.xx + 2.0 * a * b * self.xy + b * b * self.yy;
        (self.gg - 2.0 * (a * self.xg + b * self.yg) + explained) / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(law: impl Fn(f64) -> f64) -> Laws {
        let observed = |threads| Observed { threads, weight: 1.0, slowdown: law(f64::from(threads)) };
        Laws::fit([2, 4, 8, 16].into_iter().map(observed))
    }

    #[test]
    fn the_law_explains_what_was_observed_and_the_simpler_one_that_made_it_is_not_ruled_out() {
        let contention = |n: f64| 1.0 + 0.3 * (n - 1.0);
        let coherence = |n: f64| 1.0 + 0.01 * n * (n - 1.0);
        let is_near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.1;
        let explains = |law: fn(f64) -> f64| is_near(fitted(law).slowdown(8), law(8.0));
        assert!(explains(contention) && explains(coherence));
        assert!(is_near(fitted(contention).hoped(64), contention(64.0)));
    }

    #[test]
    fn nothing_observed_or_no_slow_down_means_none() {
        assert_eq!((Laws::default().slowdown(64), fitted(|_| 1.0).slowdown(64)), (1.0, 1.0));
    }

    #[test]
    fn one_observation_leaves_open_which_law_it_was() {
        let laws = Laws::fit([Observed { threads: 8, weight: 1.0, slowdown: 3.0 }].into_iter());
        assert!(laws.hoped(64) < 0.5 * laws.slowdown(64), "{laws:?}");
        assert!((laws.slowdown(8) / 3.0 - 1.0).abs() < 0.1, "{laws:?}");
    }
}
