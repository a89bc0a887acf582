//! Export and import, as two programs would.

use crate::children::Home;

pub(crate) fn histories_move_to_another_machine() {
    let (here, there) = (Home::new(), Home::new());
    let file = here.path().join("learned");
    assert!(here.play("record", "3").ok);
    assert_eq!(here.play("export", file.to_str().unwrap()).stdout, "3\n");
    assert_eq!(there.play("import", file.to_str().unwrap()).stdout, "3\n");
    assert_eq!(there.count(), 3);
    assert_eq!(there.play("import", file.to_str().unwrap()).stdout, "0\n");
    assert_eq!(there.count(), 3);
}

pub(crate) fn a_damaged_export_says_so() {
    let home = Home::new();
    let file = home.path().join("learned");
    std::fs::write(&file, "no export").unwrap();
    let said = home.play("import", file.to_str().unwrap()).stdout;
    assert!(said.contains(file.to_str().unwrap()) && said.contains("nothing was imported"), "{said}");
    assert!(!home.cache().exists());
}
