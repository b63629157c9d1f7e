//! Saga atomicity: a saga ends with all of its steps done, or with every done step compensated.
//!
//! * `uncompensated-step`: a saga ended aborted, a step was surely done before, and no compensation of it can have
//!   happened by then; or the saga turned back, nothing was under way any more, and a step stays done.
//! * `torn-saga`: a saga ended committed, and a declared step cannot have been done by then, or a done step was
//!   surely compensated after it was done.
//! * `commit-and-abort`: a saga surely ended both ways.
//! * `compensation-without-step`: a step was surely compensated that surely was not done before.
//! * `compensated-after-pivot`: a step was surely compensated after the pivot was surely done.
//! * `step-after-abort`: a step was surely done after it was compensated, or after its saga had ended aborted.
//! * `orphan-reply`: something surely happened in a saga that nobody started, or to a step that it does not declare.
//!
//! What is of unknown outcome is taken for either, whichever excuses.
//! Source: Garcia-Molina and Salem, *Sagas*, 1987, for what a saga may come to: T1 … Tn, or
//! T1 … Tj Cj … C1. They have no name for one that comes to neither and says that it committed; `torn-saga` is ours,
//! after torn transactions and torn pages. The pivot is of Mehrotra, Rastogi, Korth and Silberschatz, *A Transaction
//! Model for Multidatabase Systems*, ICDCS 1992. Cost: O(ops of sagas).
//!
//! ```text
//! start s1 ok · step a ok · end s1 aborted ok      a stays done
//! ```

mod compensation;
mod end;
mod late;
mod orphan;

use crate::evidence::Evidence;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    end::uncompensated(evidence, results);
    end::torn(evidence, results);
    end::both(evidence, results);
    compensation::without_step(evidence, results);
    compensation::after_pivot(evidence, results);
    late::check(evidence, results);
    orphan::check(evidence, results);
}
