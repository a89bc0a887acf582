struct Model(f64);

#[amorsize::streaming]
fn score(doc: String, model: &Model) -> f64 {
    doc.len() as f64 * model.0
}

#[amorsize::streaming]
fn generic<T>(item: T, _by: u64) -> T {
    item
}

fn main() {
    let docs = vec![String::from("a")];
    let sum: f64 = score::stream(docs.clone()).sum();
    let all: Vec<f64> = score::collect(docs.clone());
    let most = score::scope(docs.clone(), |scores| scores.fold(0.0, f64::max));
    score::for_each(docs.clone(), |score| println!("{score}"));
    score::run(docs.clone());
    score::tuner().threads(2).run(docs.clone());
    for item in generic::stream(docs) {
        println!("{item}");
    }
    println!("{sum} {all:?} {most}");
}
