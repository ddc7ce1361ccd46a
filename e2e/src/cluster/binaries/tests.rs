use super::*;

fn module(files: &[(&str, &str)]) -> PathBuf {
    let directory =
        std::env::temp_dir().join(format!("lenses-mcp-e2e-module-{}", uuid::Uuid::new_v4()));
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn digest(files: &[(&str, &str)]) -> String {
    let directory = module(files);
    let digest = KUBERNETES.digest(&directory).unwrap();
    fs::remove_dir_all(directory).unwrap();
    digest
}

#[test]
fn the_digest_changes_with_what_is_built_and_with_nothing_else() {
    let sources = [("main.go", "a"), ("go.mod", "b"), ("pause/main.go", "c")];
    let same = digest(&sources);
    assert_eq!(same, digest(&sources), "where the module lies does not matter");
    assert_eq!(
        same,
        digest(&[sources[0], sources[1], sources[2], ("README.md", "x"), ("main_test.go", "x")])
    );
    assert_eq!(
        same,
        digest(&[sources[0], sources[1], sources[2], ("helm/go.mod", "x"), ("helm/x.go", "x")]),
        "another module"
    );
    for changed in [
        [("main.go", "z"), sources[1], sources[2]],
        [sources[0], ("go.mod", "z"), sources[2]],
        [sources[0], sources[1], ("pause/main.go", "z")],
        [sources[0], sources[1], ("other/main.go", "c")],
    ] {
        assert_ne!(same, digest(&changed), "{changed:?}");
    }
}

#[test]
fn the_cache_is_where_xdg_says_and_else_below_home() {
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(
        cache_directory(path("/x"), path("/root")).unwrap(),
        Path::new("/x/lenses-mcp-operator")
    );
    assert_eq!(
        cache_directory(path("relative"), path("/root")).unwrap(),
        Path::new("/root/.cache/lenses-mcp-operator")
    );
    assert_eq!(
        cache_directory(None, path("/root")).unwrap(),
        Path::new("/root/.cache/lenses-mcp-operator")
    );
    assert!(matches!(cache_directory(None, path("")), Err(BuildError::NoCache)));
    assert!(matches!(cache_directory(None, None), Err(BuildError::NoCache)));
}
