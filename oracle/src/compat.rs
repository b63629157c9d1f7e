//! Verdicts in the words and by the rules of other checkers, to compare with them.
//!
//! The judgement of this crate is [`judge`](crate::judge()); what is here says what another checker would say of the
//! same history, its blind spots included. `docs/jepsen.md` tells where the two differ and why.

pub mod jepsen;
