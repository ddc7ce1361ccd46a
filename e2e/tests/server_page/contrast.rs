//! Contrast of text to what is behind it, as WCAG 2.2 §1.4.3 measures it.

use serde_json::Value;

/// Level AA for text of any size.
const AA: f64 = 4.5;

/// JavaScript: each element that shows text of its own, as `[text, colour, background]`.
pub(crate) const TEXTS: &str = "
    const background = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
        return 'none';
    };
    const own = element => [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE)
        .map(node => node.data.trim()).join('');
    return [...document.body.querySelectorAll('*')].filter(element => own(element) && \
element.checkVisibility())
        .filter(element => element.tagName !== 'SCRIPT')
        .map(element => [own(element), getComputedStyle(element).color, background(element)]);";

/// What of `texts` is harder to read than AA allows.
pub(crate) fn below_aa(texts: &Value) -> Vec<String> {
    let texts = texts.as_array().unwrap();
    assert!(texts.len() > 30, "only {} texts were found", texts.len());
    let words = |value: &Value| value.as_str().unwrap().to_owned();
    let measured = texts.iter().map(|text| (words(&text[0]), words(&text[1]), words(&text[2])));
    measured
        .filter(|(_, text, background)| ratio(luminance(text), luminance(background)) < AA)
        .map(|(words, text, background)| format!("{words:?}: {text} on {background}"))
        .collect()
}

fn ratio(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of `rgb(r, g, b)`.
fn luminance(colour: &str) -> f64 {
    let numbers = colour.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
    let numbers = numbers.unwrap_or_else(|| panic!("{colour:?} is no opaque colour"));
    let linear = numbers.split(", ").map(|number| {
        let share = number.parse::<f64>().unwrap() / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    linear.zip([0.2126, 0.7152, 0.0722]).map(|(share, weight)| share * weight).sum()
}

#[test]
fn known_ratios_come_out() {
    for (text, background, expected) in [
        ("rgb(0, 0, 0)", "rgb(255, 255, 255)", 21.0),
        ("rgb(119, 119, 119)", "rgb(255, 255, 255)", 4.48),
        ("rgb(255, 255, 255)", "rgb(255, 255, 255)", 1.0),
    ] {
        assert!(
            (ratio(luminance(text), luminance(background)) - expected).abs() < 0.01,
            "{text} on {background}"
        );
    }
}
