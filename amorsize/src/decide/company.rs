//! Whether threads give way to other streams of this process. A stream's consumer does the work of a plain loop, and
//! where as many are at work as there are cores, each is as fast as it can be without threads: these would only take
//! turns with the consumers, and what waking and waiting cost is lost. Threads whose number is pinned stay.

/// Seconds between two looks at who else is at work.
const BETWEEN_LOOKS: f64 = 1e-3;
/// Looks in a row that find others at work until threads that have begun give way: changing over costs more than one
/// short stream of somebody else's.
const FOR_LONG: u32 = 3;
/// Looks in a row that find them gone until threads go on: a consumer that ends a stream may be about to begin the next.
const GONE: u32 = 2;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Company {
    next_look: f64,
    /// Looks in a row that spoke for a change.
    in_a_row: u32,
    /// Threads have begun.
    has_begun: bool,
}

/// Whether no core is left for threads where so many other consumers are at work.
pub(crate) fn is_full(cores: usize, others: usize) -> bool {
    others.saturating_add(1) >= cores
}

impl Company {
    /// Whether the time for a look has come.
    pub(crate) fn is_due(&self, now: f64) -> bool {
        now >= self.next_look
    }

    /// Whether threads give way, now that this was seen.
    pub(crate) fn gives_way(&mut self, now: f64, is_full: bool) -> bool {
        self.next_look = now + BETWEEN_LOOKS;
        let gives_way = self.change(is_full, if self.has_begun { FOR_LONG } else { 1 });
        self.has_begun = true;
        gives_way
    }

    /// Whether threads go on after that.
    pub(crate) fn goes_on(&mut self, now: f64, is_full: bool) -> bool {
        let goes_on = self.change(!is_full, GONE);
        self.next_look = if goes_on { now + BETWEEN_LOOKS } else { now };
        goes_on
    }

    fn change(&mut self, speaks_for_it: bool, enough: u32) -> bool {
        self.in_a_row = if speaks_for_it { self.in_a_row + 1 } else { 0 };
        let changes = self.in_a_row >= enough;
        self.in_a_row = if changes { 0 } else { self.in_a_row };
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_threads_where_a_core_is_left_for_them() {
        assert_eq!([0, 1, 2].map(|others| is_full(2, others)), [false, true, true]);
        assert_eq!([0, 6, 7, usize::MAX].map(|others| is_full(8, others)), [false, false, true, true]);
    }

    #[test]
    fn threads_that_have_not_begun_give_way_at_once_and_others_if_it_lasts() {
        let mut company = Company::default();
        assert!(company.is_due(0.0) && company.gives_way(0.0, true));
        let mut begun = Company::default();
        let looks = [false, true, true, false, true, true, true];
        let gave_way = looks.map(|is_full| begun.gives_way(0.0, is_full));
        assert_eq!(gave_way, [false, false, false, false, false, false, true]);
    }

    #[test]
    fn threads_go_on_once_the_others_are_surely_gone() {
        let mut company = Company::default();
        company.gives_way(0.0, true);
        let goes_on = [false, true, false, false].map(|is_full| company.goes_on(1.0, is_full));
        assert_eq!(goes_on, [false, false, false, true]);
        assert!(!company.is_due(1.0) && company.is_due(1.001), "they have some time");
    }
}
