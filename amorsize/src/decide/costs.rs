//! What an item costs, as a running estimate. Pure arithmetic over observations, in seconds and bytes.

/// Seconds and bytes an item, as observed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Costs {
    /// Pulling the item from the source.
    pub(crate) source: f64,
    /// The function.
    pub(crate) item: f64,
    /// The consumer, between two results.
    pub(crate) consumer: f64,
    /// Coefficient of variation of the function's time.
    pub(crate) spread: f64,
    /// Share of the function's time in which its thread was blocked.
    pub(crate) blocked: f64,
    /// Bytes of a result, with what it owns; or of the item itself, if it is larger.
    pub(crate) result_bytes: f64,
}

impl Costs {
    /// The plain loop's time for an item.
    pub(crate) fn serial(&self) -> f64 {
        self.source + self.item + self.consumer
    }

    /// These costs, scaled so that the plain loop takes `each` seconds an item: its parts are known less well than
    /// that.
    pub(crate) fn of_loop(self, each: f64) -> Self {
        let factor = each / self.serial().max(1e-10);
        Self { source: self.source * factor, item: self.item * factor, consumer: self.consumer * factor, ..self }
    }
}

/// Moves an estimate towards an observation; the first observation is taken as it is.
pub(crate) fn blend(estimate: f64, observed: f64, rate: f64) -> f64 {
    if estimate == 0.0 { observed } else { estimate + rate * (observed - estimate) }
}

/// The coefficient of variation of single items, from the mean times of groups of them: a mean over n items spreads
/// √n times less than an item.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    groups: usize,
    weight: f64,
    mean: f64,
    scatter: f64,
}

impl Spread {
    /// Adds a group of `items` that took `item_time` seconds each on average (West's weighted update, 1979).
    pub(crate) fn add(&mut self, items: usize, item_time: f64) {
        let weight = items as f64;
        self.weight += weight;
        let delta = item_time - self.mean;
        self.mean += delta * weight / self.weight;
        self.scatter += weight * delta * (item_time - self.mean);
        self.groups += 1;
    }

    /// Coefficient of variation; 0 until two groups are known.
    pub(crate) fn coefficient(&self) -> f64 {
        if self.groups < 2 || self.mean <= 0.0 {
            return 0.0;
        }
        (self.scatter / (self.groups - 1) as f64).sqrt() / self.mean
    }
}
