//! Numbers of EDN, as what JSON can hold: a JSON number if it holds them exactly, or else their text.

use serde_json::{Number, Value};

/// The number that `token` is, or `None` if it is none.
///
/// Integers (`5`, `-5`, `+5`, `5N`), decimals (`1.5`, `1e3`, `1.5M`) and ratios (`1/3`).
pub(super) fn value_of(token: &str) -> Option<Value> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    if let Some((over, under)) = unsigned.split_once('/') {
        return (is_integer(over) && is_digits(under)).then(|| token.into());
    }
    let text = token.strip_prefix('+').unwrap_or(token);
    if is_integer(unsigned.strip_suffix('N').unwrap_or(unsigned)) {
        return Some(integer(text.strip_suffix('N').unwrap_or(text)));
    }
    let exact = text.strip_suffix('M');
    is_decimal(unsigned.strip_suffix('M').unwrap_or(unsigned)).then(|| match exact {
        Some(exact) => decimal(exact),
        None => float(text),
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without a leading zero: `010` is eight to Clojure and ten to everybody else, so it is neither.
fn is_integer(text: &str) -> bool {
    is_digits(text) && (text.len() == 1 || !text.starts_with('0'))
}

fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    is_integer(whole)
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

fn integer(text: &str) -> Value {
    // JSON has no minus zero among its integers, and neither has EDN.
    match text.parse::<i64>() {
        Ok(number) => number.into(),
        Err(_) => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
    }
}

fn float(text: &str) -> Value {
    match text.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => text.into(),
    }
}

/// A decimal of arbitrary precision: a number if the nearest JSON number prints as the same decimal.
fn decimal(text: &str) -> Value {
    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
    match number {
        Some(number) if digits(&number.to_string()) == digits(text) => Value::Number(number),
        _ => text.into(),
    }
}

/// Sign, significant digits, and the power of ten of the last of them.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_negative = whole.starts_with('-');
    let all = format!("{}{fraction}", whole.trim_start_matches('-'));
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some((is_negative, "0".to_owned(), 0));
    }
    let trailing = all.len() - all.trim_end_matches('0').len();
    let power = exponent.checked_add(trailing as i64)?.checked_sub(fraction.len() as i64)?;
    Some((is_negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_json_cannot_hold_exactly_is_text() {
        let check = |token: &str, expected: Value| assert_eq!(value_of(token), Some(expected), "{token}");
        check("5N", json!(5));
        check("-5", json!(-5));
        check("+5", json!(5));
        check("18446744073709551615N", json!(u64::MAX));
        check("18446744073709551616N", json!("18446744073709551616"));
        check("1.5M", json!(1.5));
        check("150.0e-2M", json!(1.5));
        check("0.1000000000000000000001M", json!("0.1000000000000000000001"));
        check("-1e3", json!(-1000.0));
        check("1e999", json!("1e999"));
        check("1/3", json!("1/3"));
        check("-0.0M", json!(-0.0));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for token in ["010", "1.2.3", "1e", "1/", "/3", "5NN", "0x10", "-", "1_000", "5M5", "--1", "1/-3"] {
            assert_eq!(value_of(token), None, "{token}");
        }
    }
}
