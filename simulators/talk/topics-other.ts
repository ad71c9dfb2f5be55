// Topics of Spanish, German and French calls. Every name, company and number is invented.
import type { Topic } from './topic.js';

const restaurant: Topic = {
  key: 'reservation',
  subject: 'su reserva',
  outbound: 0.1,
  opening: [
    'A: Restaurante La Higuera, le atiende Lucía, la asistente virtual. ¿En qué puedo ayudarle?',
    'U: Buenas, quería reservar una mesa a nombre de {name}.',
  ],
  exchanges: [
    ['A: Con mucho gusto. ¿Para qué día y cuántas personas?', 'U: Para el {date}, seremos seis.'],
    [
      { tool: 'consultar_mesas', arguments: { fecha: '{date}', personas: 6 }, result: { libres: ['20:30', '22:00'] } },
      'A: Tengo mesa a las ocho y media o a las diez.',
      'U: Mejor a las ocho y media.',
    ],
    ['A: ¿Alguna alergia que debamos tener en cuenta?', 'U: Sí, uno de nosotros es celíaco.'],
    [
      {
        tool: 'reservar',
        arguments: { fecha: '{date}', hora: '20:30', personas: 6, nota: 'celíaco' },
        result: { codigo: '{reference}' },
      },
      'A: Queda reservado. Su código es {reference}.',
      'U: Perfecto, lo apunto.',
    ],
    ['U: ¿Se puede comer en la terraza?', 'A: Sí, si hace buen tiempo les guardamos una mesa fuera.'],
  ],
  department: 'restaurante',
  matter: 'a table at the restaurant',
  summary: '{first} reserved a table for six on {date} at 20:30, one guest with coeliac disease.',
};

const insurance: Topic = {
  key: 'water_damage',
  subject: 'Ihre Schadenmeldung',
  outbound: 0.25,
  opening: [
    'A: Guten Tag, hier ist Jonas, der digitale Assistent der Elbtal Versicherung. Worum geht es?',
    'U: Guten Tag, {name} mein Name. Ich habe einen Wasserschaden in der Küche.',
  ],
  exchanges: [
    ['A: Das tut mir leid. Wann ist der Schaden entstanden?', 'U: Am {date}, als ich bei der Arbeit war.'],
    [
      { tool: 'vertrag_suchen', arguments: { name: '{name}' }, result: { vertrag: '{reference}', tarif: '{plan}' } },
      'A: Ich habe Ihren Vertrag gefunden. Ist das Wasser inzwischen abgestellt?',
      'U: Ja, der Nachbar hat den Haupthahn zugedreht.',
    ],
    [
      { node: ['Begrüßung', 'Schadenaufnahme'] },
      'A: Sehr gut. Wie hoch schätzen Sie den Schaden ungefähr?',
      'U: Der Boden ist hin, vielleicht {amount} Euro.',
    ],
    [
      {
        tool: 'schaden_anlegen',
        arguments: { vertrag: '{reference}', art: 'Leitungswasser', betrag: '{amount}' },
        result: { schadennummer: 'S-{reference}' },
      },
      'A: Ihre Schadennummer ist S {reference}. Ein Gutachter meldet sich morgen.',
      'U: Gut, das schreibe ich mir auf.',
    ],
    ['U: Soll ich schon Fotos machen?', 'A: Ja, bitte, und heben Sie alle Rechnungen auf.'],
  ],
  department: 'schaden',
  matter: 'water damage',
  summary: '{first} reported water damage in the kitchen of about {amount}. A claim was opened, an assessor will call.',
};

const hotel: Topic = {
  key: 'hotel_booking',
  subject: 'votre séjour',
  outbound: 0.15,
  opening: [
    'A: Hôtel des Tilleuls, bonjour. Je suis Élise, l’assistante virtuelle. Que puis-je faire pour vous ?',
    'U: Bonjour, je suis {name}. J’ai une réservation à modifier.',
  ],
  exchanges: [
    [
      {
        tool: 'chercher_reservation',
        arguments: { nom: '{name}' },
        result: { numero: '{reference}', arrivee: '{date}', nuits: 2 },
      },
      'A: Je l’ai trouvée : arrivée le {date}, deux nuits.',
      'U: C’est ça. Je voudrais ajouter une nuit.',
    ],
    ['A: C’est possible, pour {amount} euros, petit déjeuner compris.', 'U: D’accord, c’est parfait.'],
    [
      { tool: 'prolonger', arguments: { numero: '{reference}', nuits: 3 }, result: { ok: true } },
      'A: Voilà, votre séjour est prolongé.',
      'U: Merci. Et pour le parking ?',
    ],
    ['A: Le parking est gratuit, l’entrée est rue des Acacias.', 'U: Très bien.'],
  ],
  department: 'réception',
  matter: 'a hotel stay',
  summary: '{first} extended the hotel stay from {date} by one night.',
};

/** Calls in other languages. */
export const OTHER_TOPICS: readonly Topic[] = [restaurant, insurance, hotel];
