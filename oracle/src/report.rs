//! A verdict told to people and to programs.

mod json;
mod text;

pub use json::json;
pub use text::text;
