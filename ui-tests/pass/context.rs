//! Further parameters are bound once: references by anything that can be borrowed, values by clones.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

struct Model {
    weight: f64,
}

#[amorsize::streaming]
fn score(doc: String, model: &Model) -> f64 {
    doc.len() as f64 * model.weight
}

#[amorsize::streaming(threads = 2)]
fn three(line: &str, (a, b): (u32, u32), names: &[String], table: &HashMap<String, u32>) -> u32 {
    line.len() as u32 * a + b + names.len() as u32 + table.len() as u32
}

#[amorsize::streaming]
fn generic<T: AsRef<str>, C>(item: T, needle: &C) -> bool
where
    C: AsRef<str> + ?Sized,
{
    item.as_ref().contains(needle.as_ref())
}

#[amorsize::streaming]
fn owned<T: Clone + PartialEq, const N: usize>(item: T, known: [T; N]) -> bool {
    known.contains(&item)
}

#[amorsize::streaming]
fn dynamic(n: u64, f: &(dyn Fn(u64) -> u64 + Send + Sync)) -> u64 {
    f(n)
}

#[amorsize::streaming]
fn applied(n: u64, f: &(dyn Fn(u64) -> u64 + Sync)) -> u64 {
    f(n)
}

/// The context borrows too.
fn sums(summand: &u64) -> Vec<u64> {
    let add = |n| n + *summand;
    applied::with(&add as &(dyn Fn(u64) -> u64 + Sync)).collect(0..3)
}

#[amorsize::streaming]
fn perhaps(n: u64, model: Option<&Model>, unit: &'static str, _: ()) -> String {
    format!("{} {unit}", n as f64 * model.map_or(1.0, |model| model.weight))
}

struct Kept {
    tuner: amorsize::Tuner<amorsize::Call<score, (Arc<Model>,)>>,
}

fn main() {
    assert_eq!(sums(&2), [2, 3, 4]);
    let docs = || vec![String::from("a"), String::from("bcd")];
    let model = Model { weight: 2.0 };
    assert_eq!(score::with(&model).collect::<Vec<_>>(docs()), [2.0, 6.0]);
    assert_eq!(score::with(model).stream(docs()).sum::<f64>(), 8.0);
    let kept = Kept { tuner: score::with(Arc::new(Model { weight: 1.0 })).ordered(false) };
    assert_eq!(kept.tuner.stream(docs()).sum::<f64>(), 4.0);

    let names = [String::new()];
    assert_eq!(three::with((2, 1), &names[..], HashMap::new()).collect::<Vec<_>>(["abc"]), [8]);
    assert_eq!(three::with((2, 1), vec![], Arc::new(HashMap::new())).collect::<Vec<_>>(docs()), [3, 7]);

    assert_eq!(generic::<_, str>::with("b").collect::<Vec<_>>(["abc", "c"]), [true, false]);
    assert_eq!(owned::with([1, 2]).collect::<Vec<_>>(0..3), [false, true, true]);
    let add: Arc<dyn Fn(u64) -> u64 + Send + Sync> = Arc::new(|n| n + 1);
    assert_eq!(dynamic::with(add).stream(0..2).sum::<u64>(), 3);

    let model = Model { weight: 0.5 };
    assert_eq!(perhaps::with(Some(&model), "m", ()).collect::<Vec<_>>([3]), ["1.5 m"]);

    // The source may be neither `Send` nor `'static`.
    let source = Rc::new(docs());
    assert_eq!(score::with(Model { weight: 1.0 }).stream(source.iter().cloned()).count(), 2);
}
