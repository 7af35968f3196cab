/** What docs/notices.md uses of @nestjs-modules/mailer, which is not installed here. */
import type { DynamicModule } from '@nestjs/common';

export declare class MailerModule {
  static forRoot(options: { transport: string; defaults: { from: string } }): DynamicModule;
}
export declare class MailerService {
  sendMail(mail: { to: string; subject: string; text: string }): Promise<unknown>;
}
