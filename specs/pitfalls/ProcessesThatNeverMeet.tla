----------------------- MODULE ProcessesThatNeverMeet -----------------------
(* Pitfall: processes that never meet. Producer and consumers run side by side, and nothing connects them: each can
   always take its next step, so there is no deadlock, and that says nothing, since events are consumed that nobody
   produced. Put a real queue between them and it deadlocks. A consumer that has taken an order accepts nothing but its
   payment (selective receive); two consumers take an order each, a third order is at the head of the queue, the queue
   is full, and the payments they wait for cannot get in. TLC needs one step to consume what was not produced, and five
   to the deadlock. *)
EXTENDS Naturals, Sequences

Consumers == 1..2
Events == {"ordered", "paid"}
Capacity == 1

VARIABLES queue, produced, consumed, waiting  \* waiting: the consumers that have taken an order
vars == <<queue, produced, consumed, waiting>>

Init == queue = <<>> /\ produced = {} /\ consumed = {} /\ waiting = {}

Produce(event) == produced' = produced \union {event} /\ UNCHANGED <<consumed, waiting>>

Consume(consumer, event) == /\ consumer \in waiting => event = "paid"
                            /\ waiting' = IF event = "ordered" THEN waiting \union {consumer} ELSE waiting \ {consumer}
                            /\ consumed' = consumed \union {event} /\ UNCHANGED produced

Put(event) == Len(queue) < Capacity /\ queue' = Append(queue, event) /\ Produce(event)
Take(consumer) == queue # <<>> /\ queue' = Tail(queue) /\ Consume(consumer, Head(queue))

ApartNext == /\ UNCHANGED queue
             /\ \E event \in Events : Produce(event) \/ \E consumer \in Consumers : Consume(consumer, event)
JoinedNext == (\E event \in Events : Put(event)) \/ (\E consumer \in Consumers : Take(consumer))

Apart == Init /\ [][ApartNext]_vars
Joined == Init /\ [][JoinedNext]_vars

NoDeadlockApartInv == ENABLED ApartNext
NoDeadlockInv == ENABLED JoinedNext
NoCreationInv == consumed \subseteq produced
=============================================================================
