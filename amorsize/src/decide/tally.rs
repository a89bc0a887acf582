//! What became of each plan of a run: stretches during which the plan stayed the same, for the record.

use crate::plan::Plan;

use super::costs::Costs;
use super::observed::Position;

/// Most stretches that a run records; a run that changes its mind more often is remembered by its last ones.
const MOST_STRETCHES: usize = 6;

/// A stretch of a run under one plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) plan: Plan,
    pub(crate) costs: Costs,
    /// Results yielded.
    pub(crate) items: u64,
    /// Wall time, everything included.
    pub(crate) seconds: f64,
    /// Seconds an item of the plain loop, as far as known.
    pub(crate) serial: f64,
    /// Earlier runs recommended the plan.
    pub(crate) is_predicted: bool,
}

/// Items, and the seconds that something took for them.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    items: usize,
    seconds: f64,
}

impl Sum {
    fn add(&mut self, items: usize, seconds: f64) {
        self.items += items;
        self.seconds += seconds;
    }

    fn each(self) -> Option<f64> {
        (self.items > 0).then(|| self.seconds / self.items as f64)
    }
}

/// What threads, the source and the consumer have done since a position.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    since: Position,
    ran: Sum,
    pulled: Sum,
    consumed: Sum,
}

impl Part {
    fn from(since: Position) -> Self {
        Self { since, ..Self::default() }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// The present stretch.
    present: Part,
    /// The stretch with what there was before the plan got more threads.
    grown: Part,
    stretches: Vec<Stretch>,
}

impl Tally {
    /// Adds a chunk that was run on a thread.
    pub(crate) fn ran(&mut self, items: usize, seconds: f64) {
        self.parts().for_each(|part| part.ran.add(items, seconds));
    }

    /// Adds items pulled from the source.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64) {
        self.parts().for_each(|part| part.pulled.add(items, seconds));
    }

    /// Adds results that the consumer is done with.
    pub(crate) fn consumed(&mut self, items: usize, seconds: f64) {
        self.parts().for_each(|part| part.consumed.add(items, seconds));
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut Part> {
        [&mut self.present, &mut self.grown].into_iter()
    }

    /// What an item cost on average over the stretch that ends now, where that was seen: running estimates only know
    /// its end.
    pub(crate) fn costs(&self, now: &Costs, at: Position) -> Costs {
        let Part { ran, pulled, consumed, .. } = self.counted(at);
        Costs {
            source: pulled.each().unwrap_or(now.source),
            item: ran.each().unwrap_or(now.item),
            consumer: consumed.each().unwrap_or(now.consumer),
            ..*now
        }
    }

    /// Ends the present stretch, which had this plan and these costs; `serial` is what the plain loop takes for an
    /// item.
    pub(crate) fn close(&mut self, plan: Plan, costs: Costs, serial: f64, is_predicted: bool, at: Position) {
        let Part { since, ran, .. } = self.counted(at);
        let (items, seconds) = (at.yielded - since.yielded, at.now - since.now);
        self.skip(at);
        if items == 0 || seconds <= 0.0 {
            return;
        }
        let costs = timed_as_a_whole(costs, seconds / items as f64);
        // Threads cannot have spent more time than there was: the rest is that of others, who had begun these items.
        let spent = ran.each().map_or(0.0, |each| items as f64 * each / plan.threads as f64);
        let seconds = seconds.max(spent);
        if self.stretches.len() == MOST_STRETCHES {
            self.stretches.remove(0);
        }
        self.stretches.push(Stretch { plan, costs, items, seconds, serial, is_predicted });
    }

    /// The part that stands for the present plan. What comes out soon after more threads have begun was made before
    /// that. Where this is most of what there is, the whole stands for the plan: that makes it less of what it is,
    /// instead of more.
    fn counted(&self, at: Position) -> Part {
        let Self { present, grown, .. } = *self;
        let settled = at.yielded - present.since.yielded;
        if 2 * settled < at.yielded - grown.since.yielded { grown } else { present }
    }

    /// Leaves out time and results up to now, which belong to no plan: to a trial, say.
    pub(crate) fn skip(&mut self, at: Position) {
        self.grown = Part::from(at);
        self.grow(at);
    }

    /// What there was before more threads of the same plan belongs to it only where little follows.
    pub(crate) fn grow(&mut self, at: Position) {
        self.present = Part::from(at);
    }

    /// Leaves out time and results in the middle of a stretch, which goes on.
    pub(crate) fn leave_out(&mut self, from: Position, to: Position) {
        self.parts().for_each(|part| {
            part.since.now += to.now - from.now;
            part.since.yielded += to.yielded - from.yielded;
        });
    }

    /// The plain loop has shown that it takes no longer than so many seconds for an item, whatever threads that waited
    /// for each other have made of that.
    pub(crate) fn bound_serial(&mut self, each: f64) {
        self.stretches.iter_mut().for_each(|stretch| stretch.serial = stretch.serial.min(each));
    }

    /// Whether nothing that was run belongs to a plan.
    pub(crate) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    pub(crate) fn into_stretches(self) -> Vec<Stretch> {
        self.stretches
    }
}

/// A plain loop that was asked for has no clock read for its items: they took what is left of the whole.
fn timed_as_a_whole(costs: Costs, each: f64) -> Costs {
    let rest = (each - costs.source - costs.consumer).max(0.0);
    Costs { item: if costs.item > 0.0 { costs.item } else { rest }, ..costs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Origin, Pool};

    fn at(now: f64, yielded: u64) -> Position {
        Position { now, yielded }
    }

    fn plan() -> Plan {
        Plan {
            pool: Pool::Cpu,
            threads: 2,
            chunk_size: 1,
            buffer_size: 1,
            ordered: true,
            origin: Origin::Pinned,
            expected_speedup: 1.0,
            reason: "".into(),
        }
    }

    #[test]
    fn what_is_left_out_counts_neither_time_nor_items() {
        let mut tally = Tally::default();
        tally.leave_out(at(1.0, 100), at(3.0, 150));
        tally.close(plan(), Costs::default(), 0.0, false, at(4.0, 250));
        let [stretch] = &tally.into_stretches()[..] else { panic!() };
        assert_eq!((stretch.items, stretch.seconds), (200, 2.0));
    }

    #[test]
    fn threads_that_became_more_near_the_end_are_not_credited_with_what_fewer_had_made() {
        let speed = |end| {
            let mut tally = Tally::default();
            tally.skip(at(1.0, 100));
            tally.grow(at(2.0, 200));
            tally.close(plan(), Costs::default(), 0.0, false, end);
            let [stretch] = &tally.into_stretches()[..] else { panic!() };
            (stretch.items, stretch.seconds)
        };
        assert_eq!(speed(at(2.25, 250)), (150, 1.25));
        assert_eq!(speed(at(3.0, 500)), (300, 1.0));
    }

    #[test]
    fn threads_are_not_credited_with_more_time_than_they_had() {
        let mut tally = Tally::default();
        tally.ran(10, 50e-3);
        tally.close(Plan { threads: 100, ..plan() }, Costs::default(), 0.0, false, at(1e-3, 50));
        let [stretch] = &tally.into_stretches()[..] else { panic!() };
        assert_eq!((stretch.items, stretch.seconds), (50, 2.5e-3), "most were begun before");
    }

    #[test]
    fn what_somebody_thinks_that_items_take_changes_nothing_of_what_a_loop_took() {
        let mut tally = Tally::default();
        let costs = Costs { item: 1.0, ..Costs::default() };
        tally.close(Plan { threads: 1, ..plan() }, costs, 1e-6, false, at(1e-3, 1_000));
        assert_eq!(tally.into_stretches()[0].seconds, 1e-3);
    }

    #[test]
    fn items_of_a_loop_that_was_asked_for_took_what_is_left_of_the_whole() {
        let mut tally = Tally::default();
        let costs = Costs { source: 0.25, ..Costs::default() };
        tally.close(Plan { threads: 1, ..plan() }, costs, 1.0, false, at(10.0, 10));
        assert_eq!(tally.into_stretches()[0].costs.item, 0.75);
    }

    #[test]
    fn costs_are_means_over_the_stretch() {
        let mut tally = Tally::default();
        tally.ran(10, 1.0);
        tally.ran(30, 1.0);
        let costs = tally.costs(&Costs { source: 7.0, ..Costs::default() }, at(1.0, 1));
        assert_eq!((costs.item, costs.source), (0.05, 7.0));
        tally.skip(at(1.0, 1));
        assert_eq!(tally.costs(&Costs::default(), at(1.0, 1)).item, 0.0);
    }
}
