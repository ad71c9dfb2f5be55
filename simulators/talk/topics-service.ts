// Topics of travellers, parcel recipients, bank customers and shoppers. Every name and company is invented.
import type { Topic } from './topic.js';

const travel: Topic = {
  key: 'travel_change',
  subject: 'your booking with us',
  outbound: 0.08,
  opening: [
    'A: Blue Heron Travel, this is Robin, your automated concierge. Where can I take you?',
    'U: Hello, {name} here. I have to move my flight.',
  ],
  exchanges: [
    [
      { tool: 'find_booking', arguments: { surname: '{name}', reference: 'BH-{reference}' }, result: { legs: 2 } },
      'A: I found booking B H {reference}, out from {city} and back a week later.',
      'U: Yes, that is the one.',
    ],
    ['A: Which day would suit you instead?', 'U: {date}, if there is anything in the morning.'],
    [
      {
        tool: 'search_flights',
        arguments: { from: '{city}', day: '{date}' },
        result: { options: [{ departs: '07:40', surcharge: '{amount}' }] },
      },
      'A: There is one at seven forty. It costs {amount} dollars more.',
      'U: That is fine, and I would like an aisle seat.',
    ],
    ['U: Can I take a second bag?', 'A: Your {plan} fare includes one, a second one is thirty dollars.'],
    ['A: Shall I keep the hotel as it is?', 'U: Please move it by the same number of days.'],
    [
      {
        tool: 'rebook',
        arguments: { reference: 'BH-{reference}', day: '{date}' },
        result: { error: 'fare expired, try again' },
        ok: false,
      },
      'A: The airline has just withdrawn that fare. One moment, I will ask again.',
      { tool: 'rebook', arguments: { reference: 'BH-{reference}', day: '{date}' }, result: { ok: true } },
      'A: It worked this time.',
      'U: Phew, thank you.',
    ],
  ],
  department: 'bookings',
  matter: 'a change of a flight',
  summary: '{first} moved a flight from {city} to {date} for {amount} USD more.',
};

const courier: Topic = {
  key: 'delivery_slot',
  subject: 'a parcel that needs your signature',
  outbound: 0.85,
  opening: [
    'A: Good afternoon, Kestrel Couriers calling, the automated delivery desk. Is this {name}?',
    'U: It is. Has my parcel got lost?',
  ],
  exchanges: [
    ['A: Not at all. It needs a signature, and nobody was in this morning.', 'U: No, I was at work.'],
    [
      {
        tool: 'open_slots',
        arguments: { parcel: 'K{reference}' },
        result: { slots: ['{date} 08-10', '{date} 18-20'] },
      },
      'A: We could come on {date}, early or in the evening.',
      'U: The evening, please.',
    ],
    [
      { tool: 'book_slot', arguments: { parcel: 'K{reference}', slot: '{date} 18-20' }, result: { booked: true } },
      'A: Booked, between six and eight.',
      'U: Lovely.',
    ],
    ['U: Could you leave it with the neighbour at number nine instead?', 'A: I am afraid this one must be signed for.'],
    ['A: Has the driver the right doorbell? It says flat two.', 'U: Flat two, yes, the bell works again.'],
  ],
  department: 'depot',
  matter: 'the delivery of a parcel',
  summary: 'Kestrel Couriers agreed with {first} on delivery of parcel K{reference} in the evening of {date}.',
};

const cards: Topic = {
  key: 'card_blocked',
  subject: 'your card',
  outbound: 0.1,
  opening: [
    'A: Quillon Bank card care, you are speaking with an automated assistant. What happened?',
    'U: My card was refused in a shop in {city}.',
  ],
  exchanges: [
    ['A: May I have the date of your last payment?', 'U: That was {date}, {amount} dollars I think.', { dtmf: '7' }],
    [
      { tool: 'card_state', arguments: { customer: '{name}' }, result: { state: 'blocked', reason: 'unusual place' } },
      'A: Our security stopped it because of the place. Was that payment yours?',
      'U: Yes, I am travelling.',
    ],
    [
      { tool: 'unblock_card', arguments: { customer: '{name}' }, result: { state: 'active' } },
      'A: The card is open again and works at once.',
      'U: Great, I am still at the till.',
    ],
    ['U: Will this keep happening?', 'A: I have noted your trip, so it should not before the end of the month.'],
  ],
  department: 'security',
  matter: 'a card that was refused',
  summary: 'The card of {first} was blocked abroad and has been opened again.',
};

const shopChat: Topic = {
  key: 'size_advice',
  subject: 'your cart',
  outbound: 0,
  opening: ['A: Hi! I am Pebble, the shop assistant. What are you looking for?', 'U: hi, do the wool boots run small?'],
  exchanges: [
    ['A: Most people take one size up. Which size do you usually wear?', 'U: 39'],
    [
      { tool: 'stock', arguments: { item: 'wool boots', size: 40 }, result: { left: 3 } },
      'A: Size 40 is there, three pairs left. Shall I reserve one?',
      'U: yes please, name is {name}',
    ],
    ['U: whats the price with the voucher?', 'A: {amount} dollars with your {plan} voucher, shipping is free.'],
    ['U: and if they dont fit?', 'A: You can send them back within thirty days, the label is in the box.'],
    ['U: how long does it take to {city}', 'A: They should arrive by {date}.'],
  ],
  department: 'shop',
  matter: 'the size of wool boots',
  summary: '{first} asked about the size of wool boots and reserved a pair in 40.',
};

/** Conversations with service companies, in English. */
export const SERVICE_TOPICS: readonly Topic[] = [travel, courier, cards, shopChat];
