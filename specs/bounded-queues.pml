/* Bounded queues, the twin of model/src/bounded_queues.rs in Promela: the same queues, actions and guards, and equal
   counts of states (manifest.json).

   A shop puts orders into the queue of a handler. The handler takes an order, asks payments for its payment, and waits
   for the answer, which comes through the same queue as new orders do. Every queue is bounded, and who finds it full
   waits: so handlers can wait for payments, payments for room, and the room be taken by what handlers do not take before
   they have their answer. SPIN finds that as an invalid end state: somebody waits at a place that is not marked as an
   end, or (pan -q) a queue is not empty, and nothing can happen.

   Each action of the model is one atomic step; a handler's place in its process is what it may take now. What is read on
   the way is kept in variables that are 0 again afterwards, so as not to make more states.
   Left out: what the model leaves out. Without DEFER, answers must be routed: a handler that shares its queue and sets
   nothing aside would have to look at an answer before it takes it. */

#ifndef ORDERS
#define ORDERS 3
#endif
#ifndef HANDLERS
#define HANDLERS 2
#endif
#ifndef CAPACITY
#define CAPACITY 1      /* of each queue, and of the questions to payments */
#endif
#ifndef STRAYS
#define STRAYS 1        /* messages of a kind that no handler knows */
#endif

/* The guards; each can be removed. */
#ifndef DEFER
#define DEFER 1
#endif
#ifndef DEAD_LETTER
#define DEAD_LETTER 1
#endif
#ifndef ROUTE_BY_KEY
#define ROUTE_BY_KEY 1
#endif
#ifndef CREDIT
#define CREDIT 1
#endif

#if !DEFER && !ROUTE_BY_KEY
#error "without DEFER, ROUTE_BY_KEY is needed"
#endif

#if ROUTE_BY_KEY
#define QUEUES HANDLERS
#define QUEUE_OF(handler) handler
#else
#define QUEUES 1
#define QUEUE_OF(handler) 0
#endif

mtype = { PLACED, PAID, UNKNOWN }

chan queues[QUEUES] = [CAPACITY] of { mtype, byte };            /* kind, order */
chan asks = [CAPACITY] of { byte, byte };                       /* queue to answer to, order */
chan deferred[HANDLERS] = [2 * ORDERS] of { mtype, byte };

byte placed[ORDERS];        /* the handler that each order is meant for */
byte placed_count;
bool is_handled[ORDERS];
byte dead_letters;
byte strays = STRAYS;

/* A handler, a shop for each handler, payments for each queue: numbered from 0, in this order. */
#define ME (_pid)
#define SHOP_OF (_pid - HANDLERS)
#define ANSWERS_TO (_pid - 2 * HANDLERS)

active [HANDLERS] proctype Handler()
{
    byte order;         /* in its hand */
    byte waits_for;     /* a bit for each order that it has asked for */
    byte answer;

end_free:               /* nothing in its hand, and nothing to wait for: it may stop here */
    if
    :: deferred[ME]??PLACED, order
    :: queues[QUEUE_OF(ME)]?PLACED, order
#if DEFER
    :: atomic { queues[QUEUE_OF(ME)]?PAID, answer -> deferred[ME]!PAID, answer; answer = 0; goto end_free }
#endif
#if DEAD_LETTER
    :: atomic { queues[QUEUE_OF(ME)]?UNKNOWN, _ -> dead_letters++; goto end_free }
#endif
    fi;

in_hand:
    atomic { asks!QUEUE_OF(ME), order -> waits_for = waits_for | (1 << order); order = 0 };

waiting:
    if
#if !CREDIT
    :: atomic { queues[QUEUE_OF(ME)]?PLACED, order -> goto in_hand }
#elif DEFER
    :: atomic { queues[QUEUE_OF(ME)]?PLACED, order -> deferred[ME]!PLACED, order; order = 0; goto waiting }
#endif
    :: atomic {
           queues[QUEUE_OF(ME)]?PAID, answer ->
           if
           :: waits_for & (1 << answer) ->
                  waits_for = waits_for & ~(1 << answer);
                  is_handled[answer] = true
           :: else -> deferred[ME]!PAID, answer
           fi;
           answer = 0;
           if
           :: waits_for == 0 -> goto end_free
           :: else -> goto waiting
           fi
       }
#if DEAD_LETTER
    :: atomic { queues[QUEUE_OF(ME)]?UNKNOWN, _ -> dead_letters++; goto waiting }
#endif
    fi
}

/* The environment: new orders, and what nobody knows. */
active [HANDLERS] proctype Shop()
{
end:
    do
    :: d_step {
           placed_count < ORDERS && len(queues[QUEUE_OF(SHOP_OF)]) < CAPACITY ->
           placed[placed_count] = SHOP_OF;
           queues[QUEUE_OF(SHOP_OF)]!PLACED, placed_count;
           placed_count++
       }
    :: d_step {
           strays > 0 && len(queues[QUEUE_OF(SHOP_OF)]) < CAPACITY ->
           strays--;
           queues[QUEUE_OF(SHOP_OF)]!UNKNOWN, 0
       }
    od
}

/* Payments answers the first that asked; a process for each queue, as to whose room it waits for. */
active [QUEUES] proctype Payments()
{
    byte order;
end:
    do
    :: d_step {
           asks?[eval(ANSWERS_TO), _] && len(queues[ANSWERS_TO]) < CAPACITY ->
           asks?_, order;
           queues[ANSWERS_TO]!PAID, order;
           order = 0
       }
    od
}
