---------------------------- MODULE Choreography ----------------------------
(* A saga without an orchestrator, an order that four services carry out by listening to one another's events: the twin
   of model/src/choreography.rs, with the same variables, actions, guards and guarantees, and equal counts of states
   (manifest.json).

   Each service publishes to a topic of its own and reads those of others, each topic in its order; which topic it
   reads next, nobody says, so that an event on one may overtake an event on another. Inventory reserves what was
   ordered, payments charges what was reserved, shipping, the pivot, ships what was charged. Each may refuse but
   shipping. The customer may cancel while the order is under way.

   Assumed: topics keep what was published; a service that crashes reads its event again. An event may be delivered
   again. Faults are budgeted; recovery is not. That the customer cancels is a fault: nothing may rely on it.
   Left out: the topics' own dangers, several orders, crashes while the order is placed or cancelled, an order of the
   compensations, redelivery of more than the last event that a service acted on. *)
EXTENDS Naturals, Sequences

CONSTANTS Faults, Cancellations, Redeliveries, Refusals, Crashes

(* The guards; each can be removed. *)
CONSTANTS Tombstone, Dedup, RememberRefusal, CancelGate, AtomicPublish, RefundOnCancel, ReleaseOnPaymentFailure

ASSUME {Faults, Cancellations, Redeliveries, Refusals, Crashes} \subseteq Nat

Services == {"orders", "inventory", "payments", "shipping"}

(* What a service acts on; it passes over the rest. *)
Listens == [orders |-> {"out-of-stock", "declined", "shipped", "stopped"},
            inventory |-> {"placed", "declined", "stopped", "cancelled"},
            payments |-> {"reserved", "stopped", "cancelled"},
            shipping |-> {"charged", "cancel-asked"}]
Events == UNION {Listens[service] : service \in Services}

VARIABLES
    order,           \* what orders knows
    steps,           \* for each service, what it wrote down of its step; orders has none
    topics,          \* for each service, what it published
    positions,       \* for each service, how far it has read the topic of each
    budget,          \* faults to come
    is_closed,       \* ghost: for each service, whether its step was refused or cancelled; no guard reads it
    has_done_closed  \* ghost: whether a step was done after that

vars == <<order, steps, topics, positions, budget, is_closed, has_done_closed>>

-----------------------------------------------------------------------------
Max(numbers) == CHOOSE n \in numbers : \A m \in numbers : m <= n
Min(numbers) == CHOOSE n \in numbers : \A m \in numbers : n <= m

Fresh == [executions |-> 0, compensations |-> 0, is_refused |-> FALSE, has_tombstone |-> FALSE]
Stands(service) == steps[service].executions > 0 /\ steps[service].compensations = 0
Again(count) == IF count < 2 THEN count + 1 ELSE 2

Spend(kind) == /\ budget.faults > 0 /\ budget[kind] > 0
               /\ budget' = [budget EXCEPT !.faults = @ - 1, ![kind] = @ - 1]

(* The places of a topic that a reader acts on: those that it has come past, and those ahead. *)
Places(reader, topic) == {place \in DOMAIN topics[topic] : topics[topic][place] \in Listens[reader]}
Ahead(reader, topic) == {place \in Places(reader, topic) : place > positions[reader][topic]}
Passed(reader, topic) == {place \in Places(reader, topic) : place <= positions[reader][topic]}
NextEvent(reader, topic) == topics[topic][Min(Ahead(reader, topic))]

Publish(service, said) == topics' = [topics EXCEPT ![service] = @ \o said]

(* What a service makes of an event: what it writes down, what it says, and what becomes of the truth. *)
Ignore(service) ==
    [order |-> order, step |-> steps[service], says |-> <<>>, is_closed |-> is_closed[service],
     has_done_closed |-> has_done_closed]

(* Does the step and says so, unless it was done, refused or cancelled before. Guards dedup and remember-refusal. *)
Act(service, event) ==
    LET step == steps[service]
    IN  IF \/ step.executions > 0 /\ Dedup
           \/ step.is_refused /\ RememberRefusal
           \/ step.has_tombstone
        THEN Ignore(service)
        ELSE [Ignore(service) EXCEPT !.step.executions = Again(@), !.says = <<event>>,
                                     !.has_done_closed = @ \/ is_closed[service]]

(* Compensates the step, if it was done and not compensated before. Guards dedup and tombstone. *)
Undo(service) ==
    LET step == steps[service]
        undoes == step.executions > 0 /\ (step.compensations = 0 \/ ~Dedup)
    IN  [Ignore(service) EXCEPT !.step.compensations = IF undoes THEN Again(@) ELSE @,
                                !.step.has_tombstone = @ \/ Tombstone, !.is_closed = TRUE]

(* Shipping decides between the cancellation and the shipment. *)
Stop ==
    LET step == steps["shipping"]
    IN  IF step.executions > 0 \/ (step.has_tombstone /\ Dedup)
        THEN Ignore("shipping")
        ELSE [Ignore("shipping") EXCEPT !.step.has_tombstone = TRUE, !.says = <<"stopped">>, !.is_closed = TRUE]

Conclude(event) ==
    [Ignore("orders") EXCEPT !.order = IF @ # "pending" THEN @
                                       ELSE IF event = "shipped" THEN "completed" ELSE "cancelled"]

(* The whole choreography. Guards release-on-payment-failure and refund-on-cancel. *)
Reaction(reader, event) ==
    CASE reader = "orders" -> Conclude(event)
      [] reader = "inventory" /\ event = "placed" -> Act(reader, "reserved")
      [] reader = "inventory" /\ event = "declined" /\ ~ReleaseOnPaymentFailure -> Ignore(reader)
      [] reader = "inventory" /\ event # "placed" /\ (event = "declined" => ReleaseOnPaymentFailure) -> Undo(reader)
      [] reader = "payments" /\ event = "reserved" -> Act(reader, "charged")
      [] reader = "payments" /\ event # "reserved" -> IF RefundOnCancel THEN Undo(reader) ELSE Ignore(reader)
      [] reader = "shipping" /\ event = "charged" -> Act(reader, "shipped")
      [] reader = "shipping" /\ event = "cancel-asked" -> Stop

-----------------------------------------------------------------------------
Init == /\ order = "wanted"
        /\ steps = [service \in Services |-> Fresh]
        /\ topics = [service \in Services |-> <<>>]
        /\ positions = [reader \in Services |-> [topic \in Services |-> 0]]
        /\ budget = [faults |-> Faults, cancellations |-> Cancellations, redeliveries |-> Redeliveries,
                     refusals |-> Refusals, crashes |-> Crashes]
        /\ is_closed = [service \in Services |-> FALSE] /\ has_done_closed = FALSE

Place ==
    /\ order = "wanted" /\ order' = "pending"
    /\ Publish("orders", <<"placed">>)
    /\ UNCHANGED <<steps, positions, budget, is_closed, has_done_closed>>

Take(reader, topic) ==
    /\ Ahead(reader, topic) # {}
    /\ positions' = [positions EXCEPT ![reader][topic] = Min(Ahead(reader, topic))]

WriteDown(reader, reaction) ==
    /\ order' = reaction.order
    /\ steps' = [steps EXCEPT ![reader] = reaction.step]
    /\ is_closed' = [is_closed EXCEPT ![reader] = reaction.is_closed]
    /\ has_done_closed' = reaction.has_done_closed

Handle(reader, topic) ==
    /\ Take(reader, topic)
    /\ LET reaction == Reaction(reader, NextEvent(reader, topic))
       IN  WriteDown(reader, reaction) /\ Publish(reader, reaction.says)
    /\ UNCHANGED budget

(* Faults. What was decided once is not decided again, and what is paid for is shipped. *)
Refuse(reader, topic) ==
    /\ Spend("refusals")
    /\ Take(reader, topic)
    /\ NextEvent(reader, topic) \in {"placed", "reserved"} /\ steps[reader] = Fresh
    /\ steps' = [steps EXCEPT ![reader].is_refused = TRUE]
    /\ is_closed' = [is_closed EXCEPT ![reader] = TRUE]
    /\ Publish(reader, IF reader = "inventory" THEN <<"out-of-stock">> ELSE <<"declined">>)
    /\ UNCHANGED <<order, has_done_closed>>

(* Guard cancel-gate. *)
Cancel ==
    /\ Spend("cancellations")
    /\ order = "pending"
    /\ order' = IF CancelGate THEN order ELSE "cancelled"
    /\ Publish("orders", IF CancelGate THEN <<"cancel-asked">> ELSE <<"cancelled">>)
    /\ UNCHANGED <<steps, positions, is_closed, has_done_closed>>

Redeliver(reader, topic) ==
    /\ Spend("redeliveries")
    /\ Passed(reader, topic) # {}
    /\ positions' = [positions EXCEPT ![reader][topic] = Max(Passed(reader, topic)) - 1]
    /\ UNCHANGED <<order, steps, topics, is_closed, has_done_closed>>

(* Guard atomic-publish: the change and the event that tells of it are one; without it, the change is done and the
   event is not said. *)
Crash(reader, topic) ==
    /\ Spend("crashes")
    /\ Ahead(reader, topic) # {}
    /\ LET reaction == Reaction(reader, NextEvent(reader, topic))
       IN  /\ reaction.says # <<>>
           /\ IF AtomicPublish
              THEN UNCHANGED <<order, steps, positions, is_closed, has_done_closed>>
              ELSE Take(reader, topic) /\ WriteDown(reader, reaction)
    /\ UNCHANGED topics

Work == Place \/ \E reader, topic \in Services : Handle(reader, topic)

Fault == \/ Cancel
         \/ \E reader, topic \in Services :
                Refuse(reader, topic) \/ Redeliver(reader, topic) \/ Crash(reader, topic)

Next == Work \/ Fault

(* Each service is fair to each topic that it reads. *)
Fairness == WF_vars(Place) /\ \A reader, topic \in Services : WF_vars(Handle(reader, topic))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
ChoreographyTypeInv ==
    /\ order \in {"wanted", "pending", "completed", "cancelled"}
    /\ steps \in [Services -> [executions : 0..2, compensations : 0..2, is_refused : BOOLEAN, has_tombstone : BOOLEAN]]
    /\ topics \in [Services -> Seq(Events)]
    /\ \A reader, topic \in Services : positions[reader][topic] \in 0..Len(topics[topic])
    /\ \A kind \in DOMAIN budget : budget[kind] >= 0
    /\ is_closed \in [Services -> BOOLEAN] /\ has_done_closed \in BOOLEAN

IsDone == order \in {"completed", "cancelled"}

(* Nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED Work

Acting == Services \ {"orders"}
AllOrNothing ==
    IF order = "completed" THEN \A service \in Acting : Stands(service) ELSE ~\E service \in Acting : Stands(service)

SagaAtomicityInv ==
    /\ Stands("shipping") => Stands("inventory") /\ Stands("payments")
    /\ ~has_done_closed
    /\ IsQuiescent => AllOrNothing

EffectOnceInv == \A service \in Services : steps[service].executions <= 1 /\ steps[service].compensations <= 1

SagaTerminationInv == (IsQuiescent /\ order # "wanted") => IsDone

NoDeadlockInv == IsQuiescent => IsDone

(* In the end, the order is completed or cancelled. *)
SagaTerminationProp == <>IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
IsUndone(service) == steps[service].compensations > 0
Handles(reader, event) == \E topic \in Services : Handle(reader, topic) /\ NextEvent(reader, topic) = event
IsAsked(service) == \E event \in {"placed", "reserved", "charged"} : Handles(service, event)

DebugNothingIsCompleted == ~(order = "completed" /\ Stands("shipping"))
DebugNothingIsUndone == ~(order = "cancelled" /\ IsUndone("inventory") /\ IsUndone("payments"))
DebugNothingIsReleased == ~(steps["payments"].is_refused /\ IsUndone("inventory"))
DebugNoCancellationIsLate == [][~(Handles("shipping", "cancel-asked") /\ steps["shipping"].executions > 0)]_vars
DebugNoStepIsAskedForAgain ==
    [][~\E service \in Services : IsAsked(service) /\ steps[service].executions > 0 /\ UNCHANGED steps]_vars
DebugNoCancellationIsHeardAgain ==
    [][~\E service \in Services : Handles(service, "stopped") /\ IsUndone(service) /\ UNCHANGED steps]_vars
DebugNoRefusalIsRepeated ==
    [][~\E service \in Services : IsAsked(service) /\ steps[service].is_refused /\ UNCHANGED steps]_vars
DebugNothingIsOvertaken ==
    [][~\E service \in Services :
            IsAsked(service) /\ steps[service].has_tombstone /\ steps'[service].executions = 0]_vars
DebugNothingCrashes == [][~\E reader, topic \in Services : Crash(reader, topic) /\ UNCHANGED steps]_vars
=============================================================================
