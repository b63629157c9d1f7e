-------------------------- MODULE MissingFairness --------------------------
(* Pitfall: missing fairness. `Init /\ [][Next]_vars` allows a system to stop at any moment and do nothing for ever, so
   no promise of something that happens in the end can hold: TLC's counterexample is a system that does not move. The
   opposite mistake is worse, fairness of what nobody promises, such as a user's next request, since it makes promises
   hold that should not. Here delivery is fair and production is not; a produced event is delivered. *)
EXTENDS Naturals

Events == 1..2

VARIABLES produced, delivered
vars == <<produced, delivered>>

Init == produced = {} /\ delivered = {}

Produce(e) == e \notin produced /\ produced' = produced \union {e} /\ UNCHANGED delivered

Deliver(e) == e \in produced \ delivered /\ delivered' = delivered \union {e} /\ UNCHANGED produced

Next == \E e \in Events : Produce(e) \/ Deliver(e)
Unfair == Init /\ [][Next]_vars
Fair == Unfair /\ \A e \in Events : WF_vars(Deliver(e))

InTheEnd == \A e \in Events : e \in produced ~> e \in delivered
=============================================================================
