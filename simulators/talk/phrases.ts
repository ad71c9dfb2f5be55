// Phrases of each language that fit any topic.
import type { Line } from './lines.js';

/** The set phrases of one language; each entry of a list is a short exchange of its own. */
export interface Phrases {
  /** Replaces the topic's opening in outbound calls. */
  outbound: Line[];
  wrongNumber: Line[];
  fillers: Line[][];
  thanks: Line[];
  goodbye: string;
  transfer: string;
  colleague: Line[];
  colleagueBusy: Line[];
  voicemailGreeting: string;
  voicemailMessage: string;
  menu: string;
  silence: Line[];
  tooLong: string;
}

const english: Phrases = {
  outbound: [
    'A: Hello, am I speaking with {name}? This is the automated assistant of {agent}, about {subject}.',
    'U: Yes, speaking. Good that you call.',
  ],
  wrongNumber: ['U: Sorry, wrong number.', 'A: No problem. Goodbye.'],
  fillers: [
    ['A: Bear with me one moment while I look at that.', { pauseSeconds: 14 }, 'A: Thanks for holding, {first}.'],
    ['U: Sorry, could you say that again?', 'A: Of course. I said that everything is noted on your account.'],
    ['U: How long will that take?', 'A: Usually two to three working days, and we will text you when it is done.'],
    ['A: Is there anything else you have noticed?', 'U: No, I think that was the only thing.'],
    ['U: Let me find my papers, hold on.', { pauseSeconds: 22 }, 'U: Right, I have them here now.', 'A: Perfect.'],
    ['U: Am I talking to a real person?', 'A: I am a virtual assistant, but I can bring in a colleague at any time.'],
    ['A: May I confirm the postcode on the account?', 'U: Yes, that should be nine four one one seven.'],
  ],
  thanks: ['A: Is there anything else I can do for you today?', 'U: No, that is all. Thank you very much.'],
  goodbye: 'A: Thank you for your time, {first}. Have a lovely day. Goodbye.',
  transfer: 'A: I will put you through to a colleague who can finish this with you. Please stay on the line.',
  colleague: [
    'T: Hello {first}, this is {colleague}. I have your details here.',
    'U: Oh great, hello.',
    'T: Let us sort this out together.',
  ],
  colleagueBusy: [
    { pauseSeconds: 18 },
    'A: I am sorry, nobody is free right now. I can arrange a call back instead.',
    'U: Fine, please do that.',
  ],
  voicemailGreeting:
    'U: Hi, you have reached {first}. I cannot come to the phone right now. Please leave a message after the tone.',
  voicemailMessage: 'A: Hello {first}, this is {agent} calling about {subject}. Please call us back when it suits you.',
  menu: 'U: Welcome. For opening hours press one. For all other questions press two.',
  silence: [
    { pauseSeconds: 9 },
    'A: Are you still there?',
    { pauseSeconds: 10 },
    'A: I cannot hear you, so I will end the call now.',
  ],
  tooLong: 'A: I am afraid we have reached the maximum time for this call.',
};

const spanish: Phrases = {
  outbound: [
    'A: Hola, ¿hablo con {name}? Soy la asistente virtual de {agent}, le llamo por {subject}.',
    'U: Sí, soy yo. Dígame.',
  ],
  wrongNumber: ['U: Perdón, me he equivocado.', 'A: No pasa nada. Adiós.'],
  fillers: [
    ['A: Un momento, por favor, lo estoy comprobando.', { pauseSeconds: 12 }, 'A: Gracias por esperar, {first}.'],
    ['U: Perdone, ¿puede repetirlo?', 'A: Por supuesto. Le decía que ya está anotado.'],
    ['U: Espere, que busco un papel.', { pauseSeconds: 15 }, 'U: Ya está, lo tengo aquí.', 'A: Muy bien.'],
    ['A: ¿Quiere que le envíe la confirmación por mensaje?', 'U: Sí, al mismo número, por favor.'],
  ],
  thanks: ['A: ¿Puedo ayudarle en algo más?', 'U: No, eso es todo. Muchas gracias.'],
  goodbye: 'A: Gracias por su tiempo, {first}. Que tenga un buen día.',
  transfer: 'A: Le paso con un compañero que puede ayudarle. No cuelgue, por favor.',
  colleague: ['T: Hola {first}, soy {colleague}. Ya veo sus datos.', 'U: Ah, estupendo.', 'T: Vamos a resolverlo.'],
  colleagueBusy: [
    { pauseSeconds: 15 },
    'A: Lo siento, ahora no hay nadie libre. ¿Le llamamos más tarde?',
    'U: De acuerdo.',
  ],
  voicemailGreeting: 'U: Hola, soy {first}. Ahora no puedo atenderle. Deje su mensaje después de la señal.',
  voicemailMessage: 'A: Hola {first}, le llama {agent} por {subject}. Llámenos cuando pueda, por favor.',
  menu: 'U: Bienvenido. Para horarios, pulse uno. Para otras consultas, pulse dos.',
  silence: [
    { pauseSeconds: 9 },
    'A: ¿Sigue ahí?',
    { pauseSeconds: 9 },
    'A: No le oigo, así que voy a terminar la llamada.',
  ],
  tooLong: 'A: Hemos llegado al tiempo máximo de la llamada.',
};

const german: Phrases = {
  outbound: [
    'A: Guten Tag, spreche ich mit {name}? Hier ist der digitale Assistent von {agent}, es geht um {subject}.',
    'U: Ja, am Apparat. Gut, dass Sie anrufen.',
  ],
  wrongNumber: ['U: Entschuldigung, falsch verbunden.', 'A: Kein Problem. Auf Wiederhören.'],
  fillers: [
    ['A: Einen Moment bitte, ich sehe nach.', { pauseSeconds: 13 }, 'A: Danke fürs Warten.'],
    ['U: Wie bitte? Das habe ich nicht verstanden.', 'A: Gern noch einmal: Es ist alles bei uns vermerkt.'],
    [
      'U: Warten Sie, ich hole die Unterlagen.',
      { pauseSeconds: 20 },
      'U: So, jetzt habe ich sie hier.',
      'A: Sehr gut.',
    ],
    ['U: Wie lange wird das dauern?', 'A: In der Regel drei bis fünf Werktage.'],
  ],
  thanks: ['A: Kann ich sonst noch etwas für Sie tun?', 'U: Nein, das war alles. Vielen Dank.'],
  goodbye: 'A: Vielen Dank für das Gespräch, {first}. Auf Wiederhören.',
  transfer: 'A: Ich verbinde Sie mit der Fachabteilung. Bitte bleiben Sie in der Leitung.',
  colleague: [
    'T: Guten Tag {first}, hier ist {colleague}. Ich habe Ihren Vorgang vor mir.',
    'U: Ah, prima.',
    'T: Dann klären wir das gleich.',
  ],
  colleagueBusy: [
    { pauseSeconds: 17 },
    'A: Leider ist gerade niemand frei. Dürfen wir Sie zurückrufen?',
    'U: Ja, gern.',
  ],
  voicemailGreeting: 'U: Hallo, hier ist {first}. Ich bin gerade nicht da. Bitte sprechen Sie nach dem Ton.',
  voicemailMessage: 'A: Guten Tag {first}, hier ist {agent}. Es geht um {subject}. Bitte rufen Sie uns zurück.',
  menu: 'U: Willkommen. Für Öffnungszeiten drücken Sie die Eins, für alles andere die Zwei.',
  silence: [
    { pauseSeconds: 10 },
    'A: Sind Sie noch da?',
    { pauseSeconds: 9 },
    'A: Ich höre Sie nicht und beende jetzt das Gespräch.',
  ],
  tooLong: 'A: Leider ist die maximale Gesprächsdauer erreicht.',
};

const french: Phrases = {
  outbound: [
    'A: Bonjour, je parle bien à {name} ? Ici l’assistante virtuelle de {agent}, au sujet de {subject}.',
    'U: Oui, c’est moi. Je vous écoute.',
  ],
  wrongNumber: ['U: Pardon, c’est une erreur.', 'A: Il n’y a pas de mal. Au revoir.'],
  fillers: [
    ['A: Un instant, je vérifie.', { pauseSeconds: 12 }, 'A: Merci de votre patience, {first}.'],
    ['U: Pardon, vous pouvez répéter ?', 'A: Bien sûr. Je disais que tout est bien noté.'],
    ['U: Attendez, je prends de quoi écrire.', { pauseSeconds: 16 }, 'U: Voilà, je vous écoute.', 'A: Parfait.'],
    ['A: Souhaitez-vous une confirmation par message ?', 'U: Oui, à ce numéro.'],
  ],
  thanks: ['A: Puis-je faire autre chose pour vous ?', 'U: Non, ce sera tout. Merci beaucoup.'],
  goodbye: 'A: Merci de votre temps, {first}. Bonne journée, au revoir.',
  transfer: 'A: Je vous passe un collègue qui pourra terminer avec vous. Ne quittez pas.',
  colleague: [
    'T: Bonjour {first}, ici {colleague}. J’ai votre dossier sous les yeux.',
    'U: Ah, très bien.',
    'T: Réglons cela ensemble.',
  ],
  colleagueBusy: [
    { pauseSeconds: 15 },
    'A: Je suis désolée, personne n’est libre. Pouvons-nous vous rappeler ?',
    'U: Oui, merci.',
  ],
  voicemailGreeting: 'U: Bonjour, vous êtes sur la messagerie de {first}. Laissez un message après le bip.',
  voicemailMessage: 'A: Bonjour {first}, ici {agent}, au sujet de {subject}. Merci de nous rappeler.',
  menu: 'U: Bienvenue. Pour les horaires, tapez un. Pour toute autre question, tapez deux.',
  silence: [
    { pauseSeconds: 9 },
    'A: Vous êtes toujours là ?',
    { pauseSeconds: 10 },
    'A: Je ne vous entends pas, je vais raccrocher.',
  ],
  tooLong: 'A: Nous avons atteint la durée maximale de l’appel.',
};

/** The phrases by the first part of a language tag. */
export const PHRASES: Record<'en' | 'es' | 'de' | 'fr', Phrases> = { en: english, es: spanish, de: german, fr: french };
