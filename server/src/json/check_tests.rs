use super::check::*;

#[test]
fn what_json_readers_take_passes() {
    for value in [
        "{}",
        "[]",
        " [ { } , [ ] ] ",
        "0",
        "-0.5e+10",
        "\"\"",
        "null",
        "true",
        "false",
        r#"{"a":[1,2.5,{"b":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 é😀"}],"":null}"#,
    ] {
        assert_eq!(check(value.as_bytes()), Ok(Need::Nothing), "{value}");
    }
}

#[test]
fn wide_numbers_and_line_breaks_need_a_copy() {
    for value in
        ["[1]\n", "{\r\n}", r#"{"a":9007199254740992}"#, "[1e400]", "1.10000000000000000001"]
    {
        assert_eq!(check(value.as_bytes()), Ok(Need::Copy), "{value}");
    }
}

#[test]
fn each_fault_is_told_apart() {
    for (value, fault) in [
        ("", Fault::Syntax),
        ("{", Fault::Syntax),
        ("[1,]", Fault::Syntax),
        ("{\"a\":1,}", Fault::Syntax),
        ("{\"a\" 1}", Fault::Syntax),
        ("{1:2}", Fault::Syntax),
        ("[1}", Fault::Syntax),
        ("[1]]", Fault::Syntax),
        ("01", Fault::Syntax),
        ("1.", Fault::Syntax),
        (".5", Fault::Syntax),
        ("1e", Fault::Syntax),
        ("-", Fault::Syntax),
        ("+1", Fault::Syntax),
        ("NaN", Fault::Syntax),
        ("nul", Fault::Syntax),
        ("'a'", Fault::Syntax),
        ("\"a\nb\"", Fault::Syntax),
        (r#""\x""#, Fault::Syntax),
        (r#""\u00g0""#, Fault::Syntax),
        (r#""\u00"#, Fault::Syntax),
        (r#""\u+123""#, Fault::Syntax),
        ("\"open", Fault::Syntax),
        (r#""\ud800""#, Fault::Surrogate),
        (r#""\udc00""#, Fault::Surrogate),
        (r#""\ud800\u0041""#, Fault::Surrogate),
        (r#"{"\udfff":1}"#, Fault::Surrogate),
    ] {
        assert_eq!(check(value.as_bytes()), Err(fault), "{value}");
    }
    assert_eq!(check(b"\"\xff\""), Err(Fault::Encoding));
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(check(nested(120).as_bytes()), Ok(Need::Nothing));
    assert_eq!(check(nested(121).as_bytes()), Err(Fault::Depth));
    assert_eq!(check("[".repeat(1_000_000).as_bytes()), Err(Fault::Depth));
}

/// `serde_json` is strict where this is; it refuses what is out of a double's range, which here
/// needs a copy.
#[test]
fn what_passes_is_what_serde_json_reads() {
    use rand::RngExt;
    let seed =
        br#"{"a":[1,-2.5e3,{"b":"\"\\\u00e9\ud83d\ude00"}],"c":null,"d":true,"":[false,[],{}]} "#;
    let spare = b"{}[]\",:\\u0d8e.+- \nt1";
    let mut random = rand::rng();
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut value = seed.to_vec();
        for _ in 0..random.random_range(0..3) {
            let at = random.random_range(0..value.len());
            let byte = spare[random.random_range(0..spare.len())];
            match random.random_range(0..3) {
                0 => value[at] = byte,
                1 => value.insert(at, byte),
                _ => drop(value.remove(at)),
            }
        }
        let expected = serde_json::from_slice::<serde_json::Value>(&value);
        let found = check(&value);
        let is_out_of_range =
            expected.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        let text = String::from_utf8_lossy(&value);
        assert_eq!(
            found.is_ok(),
            expected.is_ok() || is_out_of_range,
            "{text} {found:?} {expected:?}"
        );
        *if found.is_ok() { &mut passed } else { &mut refused } += 1;
    }
    assert!(passed > 1_000 && refused > 1_000, "{passed} {refused}");
}
