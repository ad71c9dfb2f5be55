// Topics of English calls. Every name, company and number is invented.
import type { Topic } from './topic.js';

const billing: Topic = {
  key: 'double_charge',
  subject: 'your last invoice',
  outbound: 0.1,
  opening: [
    'A: Thanks for calling Northwind Energy, this is Ada, your virtual assistant. How can I help?',
    'U: Hi, this is {name}. I think I was charged twice this month.',
  ],
  exchanges: [
    [
      'A: I am sorry about that, {first}. Could you key in the last four digits of your account number?',
      { dtmf: '4' },
      { dtmf: '1' },
      { dtmf: '7' },
      { dtmf: '2' },
      { node: ['Greeting', 'Account check'] },
    ],
    [
      {
        tool: 'lookup_account',
        arguments: { account_last4: '4172', name: '{name}' },
        result: { found: true, plan: '{plan}', open_invoices: 2 },
      },
      'A: Thank you, I have your account in front of me, and I see two invoices of {amount} dollars.',
      'U: Exactly. I only have one contract.',
    ],
    [
      'A: The second one was made on {date}. It looks like a duplicate from our system change.',
      'U: So will I get the money back?',
    ],
    [
      {
        tool: 'create_refund',
        arguments: { invoice: '{reference}', amount: '{amount}', currency: 'USD' },
        result: { refund_id: 'rf_{reference}', status: 'accepted' },
      },
      'A: Yes. I have just asked for a refund of {amount} dollars. The reference is {reference}.',
      'U: Okay, let me write that down.',
    ],
    [
      'U: And will this happen again next month?',
      'A: It should not. I have put a note on the account so that the next invoice is checked first.',
    ],
    [
      'A: May I send you the confirmation by text message?',
      'U: Yes, to this number please.',
      { sms: 'Northwind Energy: your refund {reference} is on its way.' },
    ],
  ],
  department: 'billing',
  matter: 'a double charge',
  summary: '{first} was charged twice ({amount} USD). The duplicate invoice was found and a refund was requested.',
};

const dental: Topic = {
  key: 'appointment',
  subject: 'your dental appointment',
  outbound: 0.35,
  opening: [
    'A: Maple Street Dental, this is Robin, the virtual receptionist. What can I do for you?',
    'U: Hello, {name} speaking. I need to move my appointment.',
  ],
  exchanges: [
    [
      {
        tool: 'find_appointment',
        arguments: { patient: '{name}' },
        result: { date: '{date}', time: '09:30', dentist: 'Dr. Okafor' },
      },
      'A: I found it: {date} at half past nine with Doctor Okafor.',
      'U: That is the one. I have to work that morning.',
    ],
    ['A: No problem. Would an afternoon suit you better?', 'U: Yes, anything after three would be good.'],
    [
      {
        tool: 'list_free_slots',
        arguments: { dentist: 'Dr. Okafor', after: '15:00' },
        result: { slots: ['15:15', '16:40'] },
      },
      'A: I have a quarter past three or twenty to five on the same day.',
      'U: A quarter past three, please.',
    ],
    [
      {
        tool: 'move_appointment',
        arguments: { reference: '{reference}', time: '15:15' },
        result: { error: 'slot was taken a moment ago' },
        ok: false,
      },
      'A: I am sorry, somebody just took that one. Would twenty to five still work?',
      'U: Okay, that works too.',
      { tool: 'move_appointment', arguments: { reference: '{reference}', time: '16:40' }, result: { ok: true } },
    ],
    [
      'A: You are booked for {date} at twenty to five. Has your insurance changed since your last visit?',
      'U: No, it is still the same one.',
    ],
    [
      'U: Should I come earlier to fill in any forms?',
      'A: Five minutes before is enough. I will send you the form today.',
    ],
  ],
  department: 'reception',
  matter: 'a dental appointment',
  summary: '{first} moved the dental appointment on {date} to the afternoon.',
};

const shop: Topic = {
  key: 'order_status',
  subject: 'your order',
  outbound: 0.2,
  opening: [
    'A: Welcome to Fern and Field, I am Theo, an automated assistant. How may I help you?',
    'U: Yes, hi. I am waiting for a parcel. My name is {name}.',
  ],
  exchanges: [
    [
      'A: Happy to check. Do you have the order number at hand?',
      'U: It is {reference}.',
      {
        tool: 'get_order',
        arguments: { order: '{reference}' },
        result: { status: 'in_transit', carrier: 'Swift Parcel', eta: '{date}' },
      },
    ],
    [
      'A: Thanks. It left our warehouse and is with Swift Parcel. They expect to deliver on {date}.',
      'U: But the e-mail said it would come yesterday.',
    ],
    [
      { node: ['Order status', 'Complaint'] },
      'A: I understand, and I am sorry. The carrier had a delay at the depot in {city}.',
      'U: That is really annoying. It is a birthday present.',
    ],
    ['A: I can upgrade it to express at no cost, or cancel it and refund the {amount} dollars.', 'U: Express, please.'],
    [
      {
        tool: 'upgrade_shipping',
        arguments: { order: '{reference}', service: 'express' },
        result: { ok: true, new_eta: '{date}' },
      },
      'A: Done. You will get a tracking link in a minute.',
      'U: Alright, thank you.',
    ],
    [
      'U: Can I also change the delivery address?',
      'A: Yes, as long as it stays within {city}. What is the new address?',
      'U: Twelve Alder Lane, second floor.',
    ],
  ],
  department: 'shipping',
  matter: 'a late parcel',
  summary: '{first} asked about order {reference}, which was late. Shipping was upgraded to express.',
};

const survey: Topic = {
  key: 'renewal',
  subject: 'the renewal of your plan',
  outbound: 1,
  opening: [
    'A: Hello, am I speaking with {name}? This is Iris, an automated assistant calling from Harbor Mutual.',
    'U: Speaking. What is it about?',
  ],
  exchanges: [
    ['A: Your {plan} plan renews on {date}, and I wanted to go through the new price with you.', 'U: Okay, go ahead.'],
    [
      { tool: 'get_quote', arguments: { policy: '{reference}' }, result: { monthly: '{amount}', currency: 'USD' } },
      'A: From next month it would be {amount} dollars a month, with the same cover.',
      'U: That is more than last year.',
    ],
    [
      'A: It is, by about four percent. If you pay yearly, you keep the old price.',
      'U: Let me think. Could I get that in writing?',
    ],
    [
      'A: Certainly. I will e-mail the offer today, and it is valid for fourteen days.',
      'U: Good. Then I will decide at the weekend.',
    ],
    ['U: Does it still include roadside help?', 'A: Yes, roadside help and the replacement car are both included.'],
  ],
  department: 'sales',
  matter: 'the renewal of a plan',
  summary: 'Harbor Mutual called {first} about the renewal of the {plan} plan. The offer will be sent in writing.',
};

/** Calls in English. */
export const ENGLISH_TOPICS: readonly Topic[] = [billing, dental, shop, survey];
