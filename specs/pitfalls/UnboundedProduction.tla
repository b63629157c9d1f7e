------------------------ MODULE UnboundedProduction ------------------------
(* Pitfall: unbounded production. The consumer takes events two at a time and never looks at a last one that stays
   alone. A producer that never stops hides that: somebody can always go on, and the partner of the last event always
   comes. Such a specification has infinitely many states besides, and is made to fit with a constraint in the
   configuration, which cuts the exploration and disables nothing: where TLC stops looking, the producer still could go
   on, and there is no deadlock to be seen. The cure: bound the production in the specification, so that the system
   comes to rest, and ask what is left over then. TLC needs four steps. *)
EXTENDS Naturals

VARIABLES produced, consumed
vars == <<produced, consumed>>

Init == produced = 0 /\ consumed = 0

Produce == produced' = produced + 1 /\ UNCHANGED consumed

Consume == produced >= consumed + 2 /\ consumed' = consumed + 2 /\ UNCHANGED produced  \* meant: also one alone

Unbounded == Init /\ [][Produce \/ Consume]_vars
ThreeEvents == produced <= 3  \* the constraint

BoundedNext == (produced < 3 /\ Produce) \/ Consume
Bounded == Init /\ [][BoundedNext]_vars

NextStepInv == ENABLED (Produce \/ Consume)
NoDeadlockInv == consumed = 3 \/ ENABLED BoundedNext
=============================================================================
