//! A trace as a Mermaid sequence diagram.

use std::fmt::Write as _;
use std::io::Write;

use super::choice::Chosen;
use super::head::Head;
use super::{DomainModel, ExportError};

/// Who takes part are the participants; what they do are messages to themselves, faults are notes over them.
pub(super) fn write<M: DomainModel>(
    model: &M,
    head: &Head,
    chosen: &Chosen<M>,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let told: Vec<_> = chosen
        .trace
        .transitions()
        .map(|(before, action, after)| (model.tell(before, action, after), model.is_fault(action)))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for (step, _) in &told {
        if !names.contains(&step.who.as_str()) {
            names.push(&step.who);
        }
    }
    writeln!(out, "sequenceDiagram")?;
    writeln!(out, "  accTitle: {}", escaped(&head.title()))?;
    writeln!(out, "  accDescr: {}", escaped(&chosen.title))?;
    for (place, name) in names.iter().enumerate() {
        writeln!(out, "  participant p{place} as {}", escaped(name))?;
    }
    for (place, (step, is_fault)) in told.iter().enumerate() {
        if chosen.repeats_after == Some(place) {
            writeln!(out, "  loop for ever")?;
        }
        let by = names.iter().position(|name| *name == step.who).unwrap_or_default();
        let number = place + 1;
        let what = escaped(&step.what);
        if *is_fault {
            writeln!(out, "  note over p{by}: {number} {what}")?;
        } else {
            writeln!(out, "  p{by}->>p{by}: {number} {what}")?;
        }
    }
    match chosen.repeats_after {
        Some(start) if start < told.len() => writeln!(out, "  end")?,
        Some(_) if !names.is_empty() => writeln!(out, "  note over p0: and there it rests for ever")?,
        _ => {}
    }
    Ok(())
}

/// `text` as Mermaid shows it, whatever it holds: what has a meaning in a diagram or in HTML is written by its number.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(' ') {
        if !out.is_empty() {
            out.push(' ');
        }
        // A bare `end` ends a block, wherever it stands; `wrap:` at the beginning is an instruction.
        let is_instruction =
            out.is_empty() && ["wrap:", "nowrap:"].iter().any(|start| starts_with_any_case(word, start));
        if word.eq_ignore_ascii_case("end") || is_instruction {
            let mut rest = word.chars();
            rest.next().into_iter().for_each(|first| by_number(&mut out, first));
            rest.for_each(|c| push(&mut out, c));
        } else {
            word.chars().for_each(|c| push(&mut out, c));
        }
    }
    out
}

fn starts_with_any_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn push(out: &mut String, c: char) {
    match c {
        '#' | ';' | '<' | '>' | '&' | '"' | '%' | '{' | '}' | '\\' | '`' | '|' | '$' => by_number(out, c),
        c if c.is_control() => out.push('\u{fffd}'),
        c => out.push(c),
    }
}

fn by_number(out: &mut String, c: char) {
    let _ = write!(out, "#{};", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_has_a_meaning_in_a_diagram_is_escaped() {
        assert_eq!(escaped("<b>;#"), "#60;b#62;#59;#35;");
        assert_eq!(escaped("the end is near"), "the #101;nd is near");
        assert_eq!(escaped("wrap: a wrap:"), "#119;rap: a wrap:");
        assert_eq!(escaped("a\nb"), "a\u{fffd}b");
        assert_eq!(escaped("consumer 0"), "consumer 0");
    }
}
